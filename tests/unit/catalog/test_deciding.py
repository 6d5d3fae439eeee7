"""Who gets what, without a database."""

from uuid import UUID

import pytest

from apps.catalog.contracts import ReserveStatus, ReserveStock, Shortage, StockLine
from apps.catalog.stock.deciding import decide, demand_of
from apps.common.errors import InvalidInput

CUP, POT, ORDER = UUID(int=1), UUID(int=2), UUID(int=3)


def order(*lines: tuple[UUID, int], key: str = "k") -> ReserveStock:
    return ReserveStock(key, ORDER, tuple(StockLine(*line) for line in lines))


def test_lines_of_the_same_product_are_added():
    assert demand_of(order((CUP, 2), (POT, 1), (CUP, 3))) == {CUP: 5, POT: 1}


@pytest.mark.parametrize("quantity", [0, -1])
def test_less_than_one_piece_is_no_demand(quantity):
    with pytest.raises(InvalidInput) as caught:
        demand_of(order((CUP, 2), (POT, quantity)))
    assert [(one.field, one.code) for one in caught.value.errors] == [
        ("lines[1].quantity", "min_value")
    ]


def test_earlier_orders_leave_less_to_later_ones():
    batch = [order((CUP, 3), key="a"), order((CUP, 3), key="b"), order((CUP, 2), key="c")]
    decisions = decide(batch, {CUP: 5})
    assert [one.result.status for one in decisions] == [
        ReserveStatus.RESERVED,
        ReserveStatus.SHORT,
        ReserveStatus.RESERVED,
    ]
    assert decisions[1].result.short == (Shortage(CUP, 3, 2),)
    assert [dict(one.take) for one in decisions] == [{CUP: 3}, {}, {CUP: 2}]


def test_a_short_order_names_each_product_it_lacks_and_takes_nothing():
    [decision] = decide([order((CUP, 2), (POT, 4), (UUID(int=9), 1))], {CUP: 2, POT: 3})
    assert decision.result.short == (Shortage(POT, 4, 3), Shortage(UUID(int=9), 1, 0))
    assert decision.take == {}


def test_the_last_piece_can_be_had():
    assert decide([order((CUP, 5))], {CUP: 5})[0].result.status == ReserveStatus.RESERVED


def test_an_order_without_lines_needs_nothing():
    assert decide([order()], {})[0].result.status == ReserveStatus.RESERVED
