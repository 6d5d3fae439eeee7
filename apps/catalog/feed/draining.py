"""Before products are written directly, or sold: what waits of them goes into the database.

The edits stay in Redis until they are flushed, which finds their rows to have them. So nothing is
lost where this is part of a transaction that is rolled back, and no flush has to be waited for.
"""

from collections.abc import Collection
from uuid import UUID

import structlog
from django.db import DataError, IntegrityError
from django.db.models import Q

from apps.caching import write_behind
from apps.caching.write_behind import PendingUnknown
from apps.catalog.enums import DATABASE
from apps.catalog.feed import flushing
from apps.catalog.feed.buffer import PRODUCTS
from apps.catalog.feed.sql import outdate
from apps.catalog.models import Product

__all__ = ["FED", "drain", "drain_rows", "outdate"]
FED = frozenset({"price", "attributes"})  # what a feed edits
log = structlog.get_logger(__name__)


def drain_rows(*, pks: Collection[int] = (), skus: Collection[str] = ()) -> bool:
    """As ``drain``, of the living products of these primary keys or SKUs."""
    rows = Product.objects.using(DATABASE).filter(Q(pk__in=list(pks)) | Q(sku__in=list(skus)))
    return drain(list(rows.values_list("public_id", flat=True)))


def drain(ids: Collection[UUID]) -> bool:
    """Writes the edits of these products that were accepted until now; one look at Redis.

    False where Redis does not say which: whoever writes prices or attributes of these products
    now calls ``outdate`` in the same transaction.
    """
    if not ids:
        return True
    try:
        pending = write_behind.pending(PRODUCTS, [str(one) for one in ids])
    except PendingUnknown as error:
        log.warning("feed.pending_unknown", error=str(error))
        return False
    if pending:
        try:
            flushing.apply(list(pending.values()))
        except (DataError, IntegrityError):
            log.exception("feed.not_drained")  # the flush finds the one that is at fault
    return True
