"""Every contract survives the trip through JSON."""

from datetime import UTC, datetime

import orjson
import pytest
from moneyed import Money

from apps.common.contracts import from_builtins, to_builtins
from apps.common.ids import new_id
from apps.payments.contracts import (
    GatewayRecord,
    LedgerEntry,
    MoneyState,
    NetAmount,
    OpenPayment,
    PaymentResult,
    PaymentStatus,
    Refund,
    RefundPayment,
)

ONE, TWO = Money("12.34", "GBP"), Money("0.10", "GBP")
CONTRACTS = [
    OpenPayment(new_id(), ONE, "tok_approve"),
    OpenPayment(new_id(), ONE, "", "account"),
    PaymentResult(
        new_id(), PaymentStatus.DECLINED, MoneyState.DECLINED, "card_declined", "No.", "pay_1"
    ),
    LedgerEntry(
        *(new_id(), new_id(), "capture", "succeeded", ONE, "1:capture", "pay_1", "", ""),
        datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    ),
    NetAmount(new_id(), ONE, ONE, TWO, MoneyState.CAPTURED, False),
    RefundPayment(new_id(), new_id(), ONE),
    Refund(
        *(new_id(), new_id(), ONE, "failed", "amount_too_large", "5.00 are left"),
        datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    ),
    GatewayRecord("ref", "pay_1", MoneyState.CAPTURED, ONE, ONE, TWO, 1, ""),
]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda one: type(one).__name__)
def test_round_trip(contract):
    travelled = orjson.loads(orjson.dumps(to_builtins(contract)))
    assert from_builtins(type(contract), travelled) == contract


def test_net_is_what_was_kept():
    assert CONTRACTS[4].net == CONTRACTS[-1].net == Money("12.24", "GBP")
