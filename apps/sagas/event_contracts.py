"""The events by which the participants of a choreographed checkout turn it back together."""

from dataclasses import dataclass
from uuid import UUID

from apps.messaging.contracts import EventContract


@dataclass(frozen=True, slots=True)
class CheckoutCancelled:
    """``saga_id`` is the run of the checkout, ``reason`` a code: what was refused, or by whom it
    was stopped."""

    order_id: UUID
    saga_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class CheckoutUndone:
    """``participant`` (payments, stock or shipment) has undone what it did for the order, and will
    do nothing more for it."""

    order_id: UUID
    participant: str


CHECKOUT_CANCELLED = EventContract(
    "checkout.cancelled", 1, CheckoutCancelled, "A checkout is given up: undo your part in it."
)
CHECKOUT_UNDONE = EventContract(
    "checkout.undone", 1, CheckoutUndone, "One participant has undone its part in a checkout."
)
CONTRACTS = (CHECKOUT_CANCELLED, CHECKOUT_UNDONE)
# Every event of a choreographed checkout carries this header; its participants want no others.
CHOREOGRAPHED = {"coordination": "choreographed"}
