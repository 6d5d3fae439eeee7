"""The events that payments publish. A payment's version is the number of the ledger's entry."""

from dataclasses import dataclass
from uuid import UUID

from moneyed import Money

from apps.messaging.contracts import EventContract


@dataclass(frozen=True, slots=True)
class PaymentMoved:
    """A movement of an order's money.

    Attributes:
        order_id: Which order.
        payment_id: Its payment.
        amount: How much was moved.
        method: ``card`` or ``account``.
    """

    order_id: UUID
    payment_id: UUID
    amount: Money
    method: str


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """A movement of an order's money that was refused for good.

    Attributes:
        order_id: Which order.
        payment_id: Its payment.
        operation: What was refused: ``authorization``, ``capture``, ``void`` or ``refund``.
        amount: Of how much.
        method: ``card`` or ``account``.
        code: Why, in the gateway's word.
        refund_id: The return that a refund was for; null for all other movements.
    """

    order_id: UUID
    payment_id: UUID
    operation: str
    amount: Money
    method: str
    code: str
    refund_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PaymentRefunded:
    """Money that was given back.

    Attributes:
        order_id: Which order.
        payment_id: Its payment.
        amount: How much was given back.
        method: ``card`` or ``account``.
        refund_id: The return that it is for; null where all that was left was given back.
    """

    order_id: UUID
    payment_id: UUID
    amount: Money
    method: str
    refund_id: UUID | None = None


PAYMENT_AUTHORIZED = EventContract(
    "payment.authorized", 1, PaymentMoved, "An order's money is held for the shop."
)
PAYMENT_CAPTURED = EventContract("payment.captured", 1, PaymentMoved, "An order's money was taken.")
PAYMENT_FAILED = EventContract(
    "payment.failed", 1, PaymentFailed, "A movement of an order's money was refused for good."
)
PAYMENT_VOIDED = EventContract(
    "payment.voided", 1, PaymentMoved, "An order's money is no longer held."
)
PAYMENT_REFUNDED = EventContract(
    "payment.refunded", 1, PaymentRefunded, "Captured money was given back, all or part of it."
)
CONTRACTS = (
    PAYMENT_AUTHORIZED,
    PAYMENT_CAPTURED,
    PAYMENT_FAILED,
    PAYMENT_VOIDED,
    PAYMENT_REFUNDED,
)
