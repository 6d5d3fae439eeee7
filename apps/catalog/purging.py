"""Products removed for good: deleted long ago, never moved in stock, in nobody's order."""

from collections.abc import Sequence

from django.db import transaction

from apps.catalog import stock
from apps.catalog.caching.writing import writing
from apps.catalog.enums import DATABASE
from apps.common import references
from apps.common.databases import execute, fetch_all

KIND = "catalog.product"
CANDIDATES = """
    SELECT p.id, p.public_id FROM catalog_product p
    WHERE p.id > %s AND p.deleted < now() - make_interval(days => %s)
      AND NOT EXISTS (SELECT FROM catalog_stockledgerentry l WHERE l.product_id = p.id)
      AND NOT EXISTS (SELECT FROM catalog_reservation r WHERE r.product_id = p.id)
    ORDER BY p.id LIMIT %s FOR UPDATE OF p SKIP LOCKED
"""


def products_purge(*, days: int, size: int = 500) -> int:
    """Removes what was deleted more than ``days`` ago and nothing refers to; returns how many.

    ``size`` products are looked at per transaction. One that somebody is restoring stays.
    """
    purged, last = 0, 0
    while True:
        with writing() as cached, transaction.atomic(using=DATABASE):
            # Their row locks keep them deleted until the end of this transaction.
            rows = fetch_all(DATABASE, CANDIDATES, [last, days, size])
            kept = references.referred(KIND, [public_id for _, public_id in rows])
            free = {pk: public_id for pk, public_id in rows if public_id not in kept}
            purged += _remove(list(free))
            cached.products(free.values())
        if len(rows) < size:
            return purged
        last = rows[-1][0]


def _remove(product_pks: Sequence[int]) -> int:
    if not product_pks:
        return 0
    free = stock.drop_items(product_pks)
    # The history of prices is append-only but for a purge.
    execute(DATABASE, "SET LOCAL holdfast.maintenance = 'on'")
    execute(DATABASE, "DELETE FROM catalog_pricechange WHERE product_id = ANY(%s)", [free])
    execute(DATABASE, "SET LOCAL holdfast.maintenance = 'off'")
    return execute(DATABASE, "DELETE FROM catalog_product WHERE id = ANY(%s)", [free])
