"""What other apps may know of payments."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from moneyed import Money


@dataclass(frozen=True, slots=True)
class OpenPayment:
    """The payment of an order: opened once with the order, in the order's transaction."""

    order_id: UUID
    amount: Money
    card_token: str


class Operation(StrEnum):
    """A movement of an order's money at the gateway."""

    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    REVERSE = "reverse"  # void what is authorized, refund what is captured, resolve what is unknown


class PaymentStatus(StrEnum):
    SUCCEEDED = "succeeded"
    DECLINED = "declined"  # the gateway says no, for good
    UNKNOWN = "unknown"  # no definite answer: repeat with the same key
    UNREACHABLE = "unreachable"  # certainly not received: try again later


class MoneyState(StrEnum):
    """Where the order's money is after an operation."""

    NOT_PAID = "not_paid"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"
    REFUNDED = "refunded"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class PaymentResult:
    """The answer for one order: ``state`` is where its money is now as far as is known."""

    order_id: UUID
    status: PaymentStatus
    state: MoneyState
    code: str = ""
    detail: str = ""
