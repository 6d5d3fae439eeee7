"""What is asked of a gateway that no sandbox is: one that keeps its errors."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from moneyed import Money

from apps.payments.contracts import GatewayRecord, MoneyState, Operation, PaymentStatus
from apps.payments.gateways import Unanswered
from apps.payments.movements import perform
from apps.payments.position import Position, Progress

NONE, DONE, UNKNOWN = Progress.NONE, Progress.SUCCEEDED, Progress.UNKNOWN
ALL = Money("1.00", "GBP")
HELD = GatewayRecord("ref", "pay_1", MoneyState.AUTHORIZED, ALL, ALL * 0, ALL * 0, 0)


class KeepsItsErrors:
    """Undoes a payment, answers with an error, and answers the key so ever after."""

    def __init__(self, record: GatewayRecord):
        self.record = record

    def find(self, reference) -> GatewayRecord:
        return self.record

    def void(self, reference, key) -> GatewayRecord:
        self.record = replace(self.record, state=MoneyState.VOIDED)
        raise Unanswered("gateway_error")

    def refund(self, reference, amount, key) -> GatewayRecord:
        self.record = replace(self.record, state=MoneyState.REFUNDED, refunded=amount)
        raise Unanswered("gateway_error")


def position(capture: Progress, void: Progress, refund: Progress) -> Position:
    ids = UUID(int=1), UUID(int=2)
    captured = Decimal(1) if capture is DONE else Decimal(0)
    progress = DONE, capture, void, refund
    return Position(*ids, Decimal(1), "GBP", "tok", "card", *progress, captured=captured)


@pytest.mark.parametrize(
    ("capture", "state", "undone"),
    [
        (NONE, MoneyState.AUTHORIZED, MoneyState.VOIDED),
        (DONE, MoneyState.CAPTURED, MoneyState.REFUNDED),
    ],
)
def test_what_became_of_a_reversal_without_answer_is_looked_up(capture, state, undone):
    captured = ALL if capture is DONE else ALL * 0
    gateway = KeepsItsErrors(replace(HELD, state=state, captured=captured))
    asked = (Progress.REQUESTED, NONE) if capture is NONE else (NONE, Progress.REQUESTED)
    first = perform(gateway, Operation.REVERSE, position(capture, *asked))
    assert first.status is PaymentStatus.UNKNOWN
    asked = (UNKNOWN, NONE) if capture is NONE else (NONE, UNKNOWN)
    second = perform(gateway, Operation.REVERSE, position(capture, *asked))
    assert (second.status, second.state) == (PaymentStatus.SUCCEEDED, undone)
