"""``manage.py index_search``: the indexes behind the search for products, and the words' counts."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.catalog import searching


class Command(BaseCommand):
    help = (
        "Makes the extension pg_trgm and the indexes behind the search, where they are missing,"
        " and counts anew how many names have each word."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        reason = searching.create_index()
        count = searching.words_count()
        if reason:
            raise CommandError(f"No index for the search: {reason}. {searching.HINT}")
        self.stdout.write(f"The search for products has its indexes; {count:,} words in names.")
