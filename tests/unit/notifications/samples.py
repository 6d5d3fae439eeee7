"""Mails of every kind, composed from what their events tell."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from apps.notifications.composing import Addressee, Composed, Ordered, Wish, compose
from apps.notifications.enums import Kind

ORDER_ID = UUID("019aa1c5-7c1e-7d52-8f2a-3f5d6a1b2c3d")
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ADA = Addressee("ada@example.com", "Ada Lovelace", gone=False)
LINES = [
    {"name": "Mug, blue", "sku": "MUG-B", "quantity": 2, "unit_price": "9.50"},
    {"name": "Tea <Earl & Grey>", "sku": "TEA", "quantity": 1, "unit_price": "1250.00"},
]
ORDERED = Ordered("GBP", "1269.00", "4.95", "1273.95", LINES)
TOTAL = {"amount": "1273.95", "currency": "GBP"}
PLACED = {"total": TOTAL, "placed_at": "2026-11-19T23:30:00Z"}
RETURNED = {
    "amount": {"amount": "9.50", "currency": "GBP"},
    "returned_total": {"amount": "19.00", "currency": "GBP"},
    "placed_at": PLACED["placed_at"],
    "lines": [LINES[0] | {"quantity": 1, "restocked": True}],
}
CANCELLED = PLACED | {"reason": "changed_mind", "payment_status": "refunded"}

# Name of the golden file → kind, what the event told.
EVERY: dict[str, tuple[Kind, dict[str, Any]]] = {
    "welcome": (Kind.WELCOME, {}),
    "order_confirmed": (Kind.ORDER_CONFIRMED, PLACED),
    "order_shipped": (Kind.ORDER_SHIPPED, PLACED | {"tracking_number": "HF00012345"}),
    "order_cancelled_refunded": (Kind.ORDER_CANCELLED, CANCELLED),
    "order_cancelled_out_of_stock": (
        Kind.ORDER_CANCELLED,
        CANCELLED | {"reason": "out_of_stock", "payment_status": "voided"},
    ),
    "order_cancelled_declined": (
        Kind.ORDER_CANCELLED,
        CANCELLED | {"reason": "card_declined", "payment_status": "declined"},
    ),
    "order_refunded": (Kind.ORDER_REFUNDED, RETURNED),
    "order_refunded_without_goods": (
        Kind.ORDER_REFUNDED,
        RETURNED | {"lines": [], "returned_total": RETURNED["amount"]},
    ),
}


def wish(kind: Kind, facts: dict[str, Any], **words) -> Wish:
    about = None if kind is Kind.WELCOME else ORDER_ID
    given = {
        "kind": kind,
        "customer_id": ORDER_ID,
        "order_id": about,
        "facts": facts,
        "occurred_at": NOW,
        "created_at": NOW,
        "age": timedelta(),
    }
    return Wish(**(given | words))


def composed(name: str, *, addressee: Addressee = ADA, ordered: Ordered = ORDERED) -> Composed:
    """The mail of ``EVERY`` of this name."""
    one = compose(wish(*EVERY[name]), addressee, ordered, frozenset())
    assert isinstance(one, Composed)
    return one
