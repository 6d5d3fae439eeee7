"""The events that payments publish. A payment's version is the number of the ledger's entry."""

from dataclasses import dataclass
from uuid import UUID

from moneyed import Money

from apps.messaging.contracts import EventContract


@dataclass(frozen=True, slots=True)
class PaymentMoved:
    """``method`` is card or account."""

    order_id: UUID
    payment_id: UUID
    amount: Money
    method: str


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """``operation`` (authorization, capture, void or refund) of ``amount`` was refused for good,
    for the reason ``code``; ``refund_id`` is that of a refund of a part."""

    order_id: UUID
    payment_id: UUID
    operation: str
    amount: Money
    method: str
    code: str
    refund_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PaymentRefunded:
    """``amount`` was given back: for the return ``refund_id``, or without one all that was left."""

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
