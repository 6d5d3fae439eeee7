"""What other apps may know of payments."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from moneyed import Money


@dataclass(frozen=True, slots=True)
class OpenPayment:
    """The payment of an order: opened once with the order, in the order's transaction.

    ``method`` is ``card`` (the gateway, by ``card_token``) or ``account`` (our own books).
    """

    order_id: UUID
    amount: Money
    card_token: str
    method: str = "card"


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
    PARTIALLY_REFUNDED = "partially_refunded"
    VOIDED = "voided"
    REFUNDED = "refunded"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class PaymentResult:
    """The answer for one order: ``state`` is where its money is now as far as is known.

    ``gateway_reference`` is the gateway's own id of the payment, where it gave one; ``method``
    that of the payment.
    """

    order_id: UUID
    status: PaymentStatus
    state: MoneyState
    code: str = ""
    detail: str = ""
    gateway_reference: str = ""
    method: str = "card"


@dataclass(frozen=True, slots=True)
class RefundPayment:
    """Part of an order's money to be given back. ``refund_id`` names the movement for ever: a
    repeat with the same id gives nothing back twice."""

    order_id: UUID
    refund_id: UUID
    amount: Money


@dataclass(frozen=True, slots=True)
class Refund:
    """What became of a ``RefundPayment``: ``state`` is requested, unknown, succeeded or failed,
    ``created_at`` when that was written down."""

    order_id: UUID
    refund_id: UUID
    amount: Money
    state: str
    code: str
    detail: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A line of the payment ledger, oldest first where there are several.

    ``operation`` is authorization, capture, void or refund; ``state`` requested, succeeded,
    failed or unknown.
    """

    order_id: UUID
    payment_id: UUID
    operation: str
    state: str
    amount: Money
    idempotency_key: str
    gateway_reference: str
    code: str
    detail: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NetAmount:
    """An order's money by our ledger; what is kept of it is ``net``.

    ``open`` says that a movement was asked for and its answer is not on record yet.
    """

    order_id: UUID
    amount: Money
    captured: Money
    refunded: Money
    state: MoneyState
    open: bool
    method: str = "card"

    @property
    def net(self) -> Money:
        return self.captured - self.refunded


@dataclass(frozen=True, slots=True)
class GatewayRecord:
    """A payment by the gateway's own record. ``reference`` is ours, ``gateway_reference`` its id.

    ``captures`` counts how often it took money (0 or 1, or something is very wrong).
    """

    reference: str
    gateway_reference: str
    state: MoneyState
    authorized: Money
    captured: Money
    refunded: Money
    captures: int
    code: str = ""

    @property
    def net(self) -> Money:
        return self.captured - self.refunded
