"""Every contract of the catalogue survives the trip through JSON."""

from decimal import Decimal
from uuid import UUID

import orjson
import pytest
from moneyed import Money

from apps.catalog import contracts
from apps.common.contracts import from_builtins, to_builtins

ONE, TWO = UUID(int=1), UUID(int=2)
LINES = (contracts.StockLine(ONE, 3), contracts.StockLine(TWO, 1))
PRICE = Money(Decimal("12.30"), "GBP")


@pytest.mark.parametrize(
    "contract",
    [
        contracts.Offer(ONE, "A1", "Cup", PRICE, True),
        contracts.ReserveStock("k", ONE, LINES),
        contracts.ReserveResult(
            "k", contracts.ReserveStatus.SHORT, (contracts.Shortage(ONE, 3, 2),)
        ),
        contracts.ReleaseStock("k", "f", ONE),
        contracts.DispatchStock("k", ONE),
        contracts.StockResult("k", 7),
        contracts.AdjustStock("k", "staff", ONE, -3, "broken"),
        contracts.StockLevel(ONE, 5, 2),
        contracts.ImportProduct("A1", "Cup", PRICE, "Kitchen", "A cup.", {"colours": ["red"]}),
        contracts.ReceiveStock("delivery 1", ONE, 40),
        contracts.UpsertProducts(
            "k",
            "staff:1",
            (
                contracts.BulkItem("A1", {"name": "Cup", "category": None}, PRICE, 3),
                contracts.BulkItem("", {}, errors=(contracts.BulkError("sku", "required", "…"),)),
            ),
        ),
        contracts.BulkReport(
            (
                contracts.BulkResult(0, "A1", contracts.BulkOutcome.CREATED, ONE, 1),
                contracts.BulkResult(
                    1, "", contracts.BulkOutcome.ERROR, errors=(contracts.BulkError("a", "b", "c"),)
                ),
            )
        ),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_contract_round_trips_through_json(contract):
    raw = orjson.dumps(to_builtins(contract))
    assert from_builtins(type(contract), orjson.loads(raw)) == contract
