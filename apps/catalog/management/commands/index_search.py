"""``manage.py index_search``: the index behind the search for products, where it is missing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.catalog import search


class Command(BaseCommand):
    help = "Makes the extension pg_trgm and the index behind the search, where they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        if reason := search.create_index():
            raise CommandError(f"No index for the search: {reason}. {search.HINT}")
        self.stdout.write("The search for products has its index.")
