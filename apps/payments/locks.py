"""Row locks of payments, always taken in primary-key order."""

from collections.abc import Sequence
from uuid import UUID

from apps.common.databases import fetch_all, require_atomic
from apps.payments.enums import DATABASE, PaymentMethod


def lock_payments(order_ids: Sequence[UUID], *, method: PaymentMethod | None = None) -> list[UUID]:
    """Locks the payments of ``order_ids`` (those of ``method``, if one is given) until the
    caller's transaction ends; returns their orders.

    What is decided from the ledger afterwards stays true while it is acted upon.
    """
    require_atomic(DATABASE)
    rows = fetch_all(
        DATABASE,
        "SELECT order_id FROM payments_payment WHERE order_id = ANY(%s) AND method = ANY(%s)"
        " ORDER BY id FOR NO KEY UPDATE",
        [list(order_ids), PaymentMethod.values if method is None else [method.value]],
    )
    return [order_id for (order_id,) in rows]
