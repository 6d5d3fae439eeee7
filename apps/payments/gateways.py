"""What a payment gateway is, whoever runs it."""

from collections.abc import Iterator
from typing import Protocol
from uuid import UUID

from moneyed import Money

from apps.payments.contracts import GatewayRecord


class GatewayError(Exception):
    """A call that did not go through; ``code`` is machine-readable."""

    def __init__(self, code: str, detail: str = ""):
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code, self.detail = code, detail


class Declined(GatewayError):
    """No, for good: repeating it with the same key gets the same answer."""


class Refused(GatewayError):
    """The payment's present state does not allow it: look where it is."""


class Unanswered(GatewayError):
    """No definite answer (time-out, lost connection, 5xx): it may have happened."""


class Unreachable(GatewayError):
    """The call certainly did not arrive."""


class Gateway(Protocol):
    """Moves money. ``reference`` is our id of the payment.

    ``key`` belongs to the movement: a repeat with the same key moves nothing twice and gets the
    first answer. Every method may raise ``Unanswered`` or ``Unreachable``, those that move money
    also ``Declined`` or ``Refused``. Safe to call from many threads; touches no database.
    """

    def authorize(
        self, reference: UUID, amount: Money, card_token: str, key: str
    ) -> GatewayRecord: ...

    def capture(self, reference: UUID, amount: Money, key: str) -> GatewayRecord: ...

    def void(self, reference: UUID, key: str) -> GatewayRecord: ...

    def refund(self, reference: UUID, amount: Money, key: str) -> GatewayRecord: ...

    def find(self, reference: UUID | str) -> GatewayRecord | None:
        """The payment by our reference, ``None`` if the gateway knows none (yet)."""
        ...

    def page(self, after: int) -> tuple[list[GatewayRecord], int | None]:
        """The gateway's payments after that number, oldest first, at most a thousand; and the
        number to go on after, ``None`` at the end."""
        ...

    def records(self) -> Iterator[GatewayRecord]:
        """All payments the gateway knows, oldest first, page by page."""
        ...

    def answers(self) -> bool:
        """Whether it is there at all."""
        ...
