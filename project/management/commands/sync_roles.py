"""Brings the shop's roles up to date; what was added by hand stays unless --exactly is given."""

from django.core.management import BaseCommand

from apps.customers.roles import roles_sync
from project.roles import ROLES


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "--exactly", action="store_true", help="also take away what was added by hand"
        )

    def handle(self, *args, **options) -> None:
        changes = roles_sync(roles=ROLES, exactly=options["exactly"])
        for change in changes:
            for name in change.given:
                self.stdout.write(f"{change.role}: + {name}")
            for name in change.taken:
                self.stdout.write(f"{change.role}: - {name}")
        if not changes:
            self.stdout.write("Every role is as it should be.")
