"""Row locks of payments, always taken in primary-key order."""

from collections.abc import Sequence
from uuid import UUID

from apps.common.databases import execute, require_atomic
from apps.payments.enums import DATABASE


def lock_payments(order_ids: Sequence[UUID]) -> None:
    """Locks the payments of ``order_ids`` until the caller's transaction ends.

    What is decided from the ledger afterwards stays true while it is acted upon.
    """
    require_atomic(DATABASE)
    execute(
        DATABASE,
        "SELECT id FROM payments_payment WHERE order_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
        [list(order_ids)],
    )
