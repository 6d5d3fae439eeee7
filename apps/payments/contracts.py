"""What other apps may know of payments."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from moneyed import Money

from apps.sagas.contracts import Outcome, OutcomeKind


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

    ``gateway_reference`` is the gateway's own id of the payment, where it gave one; ``method``,
    ``payment_id`` and ``amount`` are those of the payment, where there is one.
    """

    order_id: UUID
    status: PaymentStatus
    state: MoneyState
    code: str = ""
    detail: str = ""
    gateway_reference: str = ""
    method: str = "card"
    payment_id: UUID | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class PaymentOutcome(Outcome):
    """A step's outcome that brings the gateway's answer along to the checkpoint."""

    payment: PaymentResult | None = None


_OUTCOMES = {
    PaymentStatus.SUCCEEDED: OutcomeKind.SUCCESS,
    PaymentStatus.DECLINED: OutcomeKind.REJECTED,
    PaymentStatus.UNREACHABLE: OutcomeKind.RETRYABLE,
    PaymentStatus.UNKNOWN: OutcomeKind.UNKNOWN,
}


def payment_outcome(result: PaymentResult) -> PaymentOutcome:
    """What the gateway's answer means to a step."""
    succeeded = result.status is PaymentStatus.SUCCEEDED
    return PaymentOutcome(
        _OUTCOMES[result.status],
        {"state": result.state.value} if succeeded else None,
        result.code,
        result.detail,
        result,
    )


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

    ``captures`` counts how often it took money (0 or 1, or something is very wrong);
    ``created_at`` is by the gateway's clock.
    """

    reference: str
    gateway_reference: str
    state: MoneyState
    authorized: Money
    captured: Money
    refunded: Money
    captures: int
    code: str = ""
    created_at: datetime | None = None

    @property
    def net(self) -> Money:
        return self.captured - self.refunded


class Standing(StrEnum):
    """What an order's money is for: told to the reconciler by whoever knows orders."""

    LIVE = "live"  # a saga works on it: hands off
    PARKED = "parked"  # a saga waits for a person
    KEPT = "kept"  # sold: its money is kept
    UNDONE = "undone"  # cancelled: no money is held or kept
    MISSING = "missing"  # there is no such order


@dataclass(frozen=True, slots=True)
class MoneyFinding:
    """Where the gateway's record and our books differ. ``action`` is answer, void, refund or empty
    (a person decides); ``done`` says that it was carried out now."""

    kind: str
    reference: str
    order_id: UUID | None
    action: str
    detail: str
    done: bool = False


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a run of the reconciler saw and did: ``records`` of the gateway's, ``payments`` of
    ours; discrepancies ``opened`` for a person and ``cleared`` because both agree by now."""

    records: int
    payments: int
    findings: tuple[MoneyFinding, ...]
    opened: int
    cleared: int
    seconds: float

    @property
    def mended(self) -> int:
        return sum(one.done for one in self.findings)
