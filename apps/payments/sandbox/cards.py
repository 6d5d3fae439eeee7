"""The test cards. What each does is a function of its token and of how often it was asked.

A fault strikes the first request for that operation of a payment; the count is part of the
record, so a restart does not forget it. Repeating the request afterwards works.

==================================  ============================================================
``tok_approve``                     a standard card: approves up to 10,000.00, above that
                                    declines with ``limit_exceeded``
``tok_unlimited``                   approves any amount
``tok_decline``                     declines: ``card_declined``
``tok_insufficient_funds``          declines: ``insufficient_funds``
``tok_expired_card``                declines: ``expired_card``
``tok_timeout_before``              authorization: never answers, nothing happens
``tok_timeout_after``               authorization: happens, never answers
``tok_timeout_late``                authorization: never answers and can not be found, but
                                    happens once somebody has looked for it in vain
``tok_timeout_always``, ``tok_gone``  authorization: never answers, nothing ever happens
``tok_drop_before``                 authorization: connection closed, nothing happens (twice)
``tok_drop_after``                  authorization: happens, connection closed
``tok_error_500``                   authorization: 500, nothing happens
``tok_error_500_after``             authorization: happens, 500
``tok_capture_decline``             capture declines for good: ``capture_declined``
``tok_capture_timeout_before``      capture: never answers, nothing happens
``tok_capture_timeout_after``       capture: happens, never answers
``tok_capture_timeout_always``      capture: never answers, nothing ever happens
``tok_capture_error_500``           capture: 500, nothing happens
``tok_void_timeout_after``          void: happens, never answers
``tok_refund_timeout_after``        refund: happens, never answers
==================================  ============================================================

Any other token is declined with ``invalid_card``. All but ``tok_unlimited`` have the limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

AUTHORIZATION, CAPTURE, VOID, REFUND = "authorization", "capture", "void", "refund"
STANDARD_LIMIT = 1_000_000  # hundredths: 10,000.00


class Fault(Enum):
    """How a request goes wrong: before its effect, after it, or with the effect to come later."""

    HANG_BEFORE = "hang_before"
    HANG_AFTER = "hang_after"
    HANG_LATE = "hang_late"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"

    @property
    def has_effect(self) -> bool:
        return self in (Fault.HANG_AFTER, Fault.DROP_AFTER, Fault.ERROR_AFTER)


ALWAYS = 1 << 62


@dataclass(frozen=True)
class Card:
    """``declines`` and ``faults`` by operation; a fault strikes the first ``times`` requests."""

    limit: int | None = STANDARD_LIMIT
    declines: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, Fault] = field(default_factory=dict)
    times: int = 1


def _declines(code: str, operation: str = AUTHORIZATION) -> Card:
    return Card(declines={operation: code})


def _fails(fault: Fault, operation: str = AUTHORIZATION, times: int = 1) -> Card:
    return Card(faults={operation: fault}, times=times)


UNKNOWN_CARD = _declines("invalid_card")

CARDS: Mapping[str, Card] = MappingProxyType(
    {
        "tok_approve": Card(),
        "tok_unlimited": Card(limit=None),
        "tok_decline": _declines("card_declined"),
        "tok_insufficient_funds": _declines("insufficient_funds"),
        "tok_expired_card": _declines("expired_card"),
        "tok_timeout_before": _fails(Fault.HANG_BEFORE),
        "tok_timeout_after": _fails(Fault.HANG_AFTER),
        "tok_timeout_late": _fails(Fault.HANG_LATE),
        "tok_timeout_always": _fails(Fault.HANG_BEFORE, times=ALWAYS),
        "tok_gone": _fails(Fault.HANG_BEFORE, times=ALWAYS),
        "tok_drop_before": _fails(Fault.DROP_BEFORE, times=2),
        "tok_drop_after": _fails(Fault.DROP_AFTER),
        "tok_error_500": _fails(Fault.ERROR_BEFORE),
        "tok_error_500_after": _fails(Fault.ERROR_AFTER),
        "tok_capture_decline": _declines("capture_declined", CAPTURE),
        "tok_capture_timeout_before": _fails(Fault.HANG_BEFORE, CAPTURE),
        "tok_capture_timeout_after": _fails(Fault.HANG_AFTER, CAPTURE),
        "tok_capture_timeout_always": _fails(Fault.HANG_BEFORE, CAPTURE, times=ALWAYS),
        "tok_capture_error_500": _fails(Fault.ERROR_BEFORE, CAPTURE),
        "tok_void_timeout_after": _fails(Fault.HANG_AFTER, VOID),
        "tok_refund_timeout_after": _fails(Fault.HANG_AFTER, REFUND),
    }
)


def card(token: str) -> Card:
    """The card behind ``token``."""
    return CARDS.get(token, UNKNOWN_CARD)
