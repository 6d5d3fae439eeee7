"""The index behind the search for products: trigrams of name, SKU and description.

PostgreSQL keeps them only with its extension ``pg_trgm``. Where that cannot be created, the
search finds the same products by reading all of them, and a check says how to make it fast.
"""

from collections.abc import Sequence

from django.core import checks
from django.db import DatabaseError, connections, transaction
from django.db.models import Q

from apps.catalog.enums import DATABASE

INDEX = "product_search"
COLUMNS = ("name", "sku", "description")
MAX_WORDS = 8
HINT = (
    "Let a superuser run CREATE EXTENSION pg_trgm in the catalogue's database, then"
    " manage.py index_search."
)


def matching(text: str) -> Q:
    """Products that have every word of ``text`` somewhere in name, SKU or description.

    Only the first ``MAX_WORDS`` words count. The index knows the columns in capitals, which is
    what ``icontains`` compares.
    """
    found = Q()
    for word in text.split()[:MAX_WORDS]:
        anywhere = Q()
        for column in COLUMNS:
            anywhere |= Q(**{f"{column}__icontains": word})
        found &= anywhere
    return found


def create_index(alias: str = DATABASE) -> str | None:
    """Makes extension and index where they are missing; the reason if that is impossible."""
    columns = ", ".join(f"upper({name}::text) gin_trgm_ops" for name in COLUMNS)
    try:
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {INDEX} ON catalog_product USING gin ({columns})"
            )
    except DatabaseError as error:
        return str(error).strip().partition("\n")[0]
    return None


@checks.register(checks.Tags.database)
def check_index(app_configs=None, databases: Sequence[str] | None = None, **kwargs) -> list:
    """``manage.py check --database catalog`` (and ``migrate``) tell where the index is missing."""
    if DATABASE not in (databases or ()):
        return []
    with connections[DATABASE].cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass('catalog_product') IS NULL OR to_regclass(%s) IS NOT NULL", [INDEX]
        )
        [there] = cursor.fetchone()
    if there:
        return []
    return [checks.Warning("the search for products has no index", hint=HINT, id="catalog.W001")]
