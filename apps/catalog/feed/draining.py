"""Before products are written directly, or sold: what waits of them goes into the database.

The edits stay in Redis until they are flushed, which finds their rows to have them. So nothing is
lost where this is part of a transaction that is rolled back, and no flush has to be waited for.
"""

from collections.abc import Collection
from uuid import UUID

import structlog
from django.db import DataError, IntegrityError

from apps.caching import write_behind
from apps.caching.write_behind import PendingUnknown
from apps.catalog.feed import flushing
from apps.catalog.feed.buffer import PRODUCTS

log = structlog.get_logger(__name__)


def drain(ids: Collection[UUID]) -> bool:
    """Writes the edits of these products that were accepted until now; one look at Redis.

    False where Redis does not say which: whoever writes these products now calls ``sql.outdate``
    in the same transaction.
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
