"""Where a payment stands by our ledger; what is derived from it is derived here only."""

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from uuid import UUID

from moneyed import Money

from apps.payments.contracts import MoneyState
from apps.payments.enums import CANCELLED, KEY_NAME, EntryOperation, PaymentMethod

ZERO = Decimal("0.00")


class Progress(IntEnum):
    """How far an operation got: the furthest of its entries."""

    NONE = 0
    REQUESTED = 1
    UNKNOWN = 2
    FAILED = 3
    SUCCEEDED = 4

    @property
    def is_open(self) -> bool:
        """Asked for, and the answer is not on record."""
        return self is Progress.REQUESTED or self is Progress.UNKNOWN


@dataclass(slots=True)
class Part:
    """A refund of a part of the money; ``age`` is how long ago it was asked for first (s)."""

    refund_id: UUID
    amount: Decimal
    progress: Progress = Progress.NONE
    code: str = ""
    detail: str = ""
    age: float = 0.0


@dataclass(slots=True)
class Position:
    """A payment and the progress of each operation on it; amounts are in ``currency``.

    ``refund`` is the one of the reversal, which gives back all that is left: ``refund_amount``,
    once it is written down. ``parts`` are the refunds before it.
    """

    payment_id: UUID
    order_id: UUID
    amount: Decimal
    currency: str
    card_token: str = ""
    method: str = PaymentMethod.CARD.value
    authorization: Progress = Progress.NONE
    capture: Progress = Progress.NONE
    void: Progress = Progress.NONE
    refund: Progress = Progress.NONE
    authorization_code: str = ""
    capture_code: str = ""
    reversal_code: str = ""
    captured: Decimal = ZERO
    refunded: Decimal = ZERO
    refund_amount: Decimal | None = None
    parts: tuple[Part, ...] = ()

    def progress(self, operation: EntryOperation) -> Progress:
        return {
            EntryOperation.AUTHORIZATION: self.authorization,
            EntryOperation.CAPTURE: self.capture,
            EntryOperation.VOID: self.void,
            EntryOperation.REFUND: self.refund,
        }[operation]

    def key(self, operation: EntryOperation) -> str:
        """The gateway's idempotency key: it belongs to the movement, never to an attempt."""
        return idempotency_key(self.payment_id, operation)

    def part(self, refund_id: UUID) -> Part | None:
        return next((one for one in self.parts if one.refund_id == refund_id), None)

    def add_part(self, part: Part) -> None:
        self.parts = (*self.parts, part)

    def refund_key(self, refund_id: UUID) -> str:
        """The gateway's key of a part's refund."""
        return f"{self.key(EntryOperation.REFUND)}:{refund_id}"

    @property
    def refundable(self) -> Decimal:
        """What is left of the captured money when every refund asked for goes well."""
        parts = (one.amount for one in self.parts if one.progress is not Progress.FAILED)
        return self.captured - sum(parts, ZERO)

    @property
    def to_reverse(self) -> Decimal:
        """What the reversal's refund gives back."""
        return self.amount if self.refund_amount is None else self.refund_amount

    def money(self, amount: Decimal) -> Money:
        return Money(amount, self.currency)

    @property
    def on_account(self) -> bool:
        return self.method == PaymentMethod.ACCOUNT

    @property
    def is_open(self) -> bool:
        return (
            self.authorization.is_open
            or self.capture.is_open
            or self.void.is_open
            or self.refund.is_open
            or self.has_open_parts
        )

    @property
    def has_open_parts(self) -> bool:
        return any(one.progress.is_open for one in self.parts)

    @property
    def is_being_reversed(self) -> bool:
        return self.void is not Progress.NONE or self.refund is not Progress.NONE

    @property
    def state(self) -> MoneyState:
        """Where the money is as far as the ledger knows."""
        if self.refund is Progress.SUCCEEDED or 0 < self.captured <= self.refunded:
            return MoneyState.REFUNDED
        if self.void is Progress.SUCCEEDED:
            return MoneyState.VOIDED
        if self.capture is Progress.SUCCEEDED:
            return MoneyState.PARTIALLY_REFUNDED if self.refunded else MoneyState.CAPTURED
        if self.authorization is Progress.SUCCEEDED:
            return MoneyState.AUTHORIZED
        if self.authorization is Progress.FAILED and self.authorization_code != CANCELLED:
            return MoneyState.DECLINED
        return MoneyState.NOT_PAID


def idempotency_key(payment_id: UUID, operation: EntryOperation) -> str:
    """``{payment}:authorize``, ``:capture``, ``:void`` or ``:refund``."""
    return f"{payment_id}:{KEY_NAME[operation]}"
