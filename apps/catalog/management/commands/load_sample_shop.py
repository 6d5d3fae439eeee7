"""``manage.py load_sample_shop``"""

from django.core.management.base import BaseCommand

from apps.catalog import sample_shop


class Command(BaseCommand):
    help = "Loads a small homeware shop if the catalogue is empty; otherwise changes nothing."

    def handle(self, *args, **options) -> None:
        made = sample_shop.load()
        self.stdout.write(
            f"{made} products are for sale."
            if made
            else "The catalogue is not empty: nothing to do."
        )
