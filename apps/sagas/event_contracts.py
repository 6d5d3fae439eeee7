"""The events by which the participants of a choreographed checkout turn it back together."""

from dataclasses import dataclass
from uuid import UUID

from apps.messaging.contracts import EventContract


@dataclass(frozen=True, slots=True)
class CheckoutCancelled:
    """A checkout that is given up.

    Attributes:
        order_id: Which order.
        saga_id: The run of its checkout.
        reason: A code: what was refused, or by whom it was stopped.
    """

    order_id: UUID
    saga_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class CheckoutUndone:
    """One participant of a checkout that undid its part, and will do nothing more for it.

    Attributes:
        order_id: Which order.
        participant: ``payments``, ``stock`` or ``shipment``.
    """

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
