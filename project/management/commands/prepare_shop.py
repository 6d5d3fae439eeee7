"""Makes a shop ready to run: databases, logins, sample goods. Safe to repeat, quick when done."""

import secrets
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from apps.catalog import sample_shop
from apps.customers import facade as customers
from apps.customers.contracts import Address
from project import databases, env, groundwork

STAFF, CUSTOMER = "staff@holdfast.example", "customer@holdfast.example"
ADDRESS = Address(
    name="Demo Customer",
    line1="1 Harbour Street",
    city="London",
    country="GB",
    postal_code="E1 6AN",
)


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args, **options) -> None:
        for alias in databases.ALIASES:
            self._migrate(alias)
        groundwork.lay_all()  # also where nothing was migrated, but the lists have grown
        login(env.PLACES.staff_login, STAFF, "Demo Staff", staff=True)
        login(env.PLACES.customer_login, CUSTOMER, "Demo Customer", staff=False, address=ADDRESS)
        self._load_sample()

    def _migrate(self, alias: str) -> None:
        executor = MigrationExecutor(connections[alias])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write(f"Migrating {alias} …")
            call_command("migrate", database=alias, verbosity=0, interactive=False)

    def _load_sample(self) -> None:
        if made := sample_shop.load():
            self.stdout.write(f"Loaded a sample shop of {made} products.")


def login(
    path: Path, email: str, name: str, *, staff: bool, address: Address | None = None
) -> None:
    """Leaves a login whose address and password are the two lines of ``path``.

    The file comes first, so a start that was killed in between uses the same password again.
    """
    if not path.exists():
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(f"{email}\n{secrets.token_urlsafe(15)}\n")
        draft.replace(path)
    password = path.read_text().split("\n")[1]
    customers.create_login(email, name, password, staff, address)
    user = get_user_model().objects.get_by_natural_key(email)
    if not user.check_password(password):  # an old database beside a new var/
        user.set_password(password)
        user.save(update_fields=["password"])
