"""What may come back of an order, and for how much: without a database."""

from decimal import Decimal
from uuid import uuid4

import pytest
from moneyed import Money

from apps.common.errors import InvalidInput
from apps.orders.contracts import ReturnLine
from apps.orders.errors import NotReturnable
from apps.orders.services.return_rules import Books, SoldLine, take


def gbp(amount: str) -> Money:
    return Money(amount, "GBP")


@pytest.fixture
def books() -> Books:
    """Three mugs at 9.50 and a free cup were sold; 30.00 were captured."""
    lines = {1: SoldLine(11, Decimal("9.50"), 3, 3), 2: SoldLine(12, Decimal("0.00"), 1, 1)}
    return Books(uuid4(), "shipped", "GBP", Decimal("30.00"), lines)


def lines(*rows) -> tuple[ReturnLine, ...]:
    return tuple(ReturnLine(*row) for row in rows)


def test_goods_are_refunded_at_the_price_they_were_sold_for(books):
    taken = take(books, lines((1, 1), (1, 1, False), (1, 1), (2, 1)), None)
    assert (taken.goods_total, taken.amount) == (Decimal("28.50"), Decimal("28.50"))
    assert taken.pieces == {(11, True): 2, (11, False): 1, (12, True): 1}
    assert books.money_left == Decimal("1.50")
    assert [line.left for line in books.lines.values()] == [0, 0]


def test_never_more_than_is_left_of_the_money(books):
    assert take(books, (), gbp("29.00")).amount == Decimal("29.00")
    taken = take(books, lines((1, 2)), None)
    assert (taken.goods_total, taken.amount) == (Decimal("19.00"), Decimal("1.00"))
    assert take(books, lines((1, 1)), None).amount == 0


@pytest.mark.parametrize(
    ("wanted", "amount", "field", "code"),
    [
        (((3, 1),), None, "lines[0].position", "unknown_line"),
        (((1, 0),), None, "lines[0].quantity", "min_value"),
        (((1, -1),), None, "lines[0].quantity", "min_value"),
        (((1, 4),), None, "lines[0].quantity", "max_value"),
        (((1, 2), (1, 2)), None, "lines[1].quantity", "max_value"),
        (((1, 2), (1, 2, False)), None, "lines[1].quantity", "max_value"),
        ((), None, "lines", "required"),
        (((1, 1),), gbp("1.00"), "amount", "not_with_lines"),
        ((), gbp("0.00"), "amount.amount", "invalid"),
        ((), gbp("-1.00"), "amount.amount", "invalid"),
        ((), gbp("0.001"), "amount.amount", "invalid"),
        ((), gbp("30.01"), "amount.amount", "max_value"),
        ((), Money("1.00", "EUR"), "amount.currency", "other_currency"),
    ],
)
def test_what_cannot_come_back_is_named_and_nothing_is_taken(books, wanted, amount, field, code):
    with pytest.raises(InvalidInput) as refused:
        take(books, lines(*wanted), amount)
    assert [(one.field, one.code) for one in refused.value.errors] == [(field, code)]
    assert books.money_left == Decimal("30.00")
    assert [line.left for line in books.lines.values()] == [3, 1]


@pytest.mark.parametrize("status", ["pending", "confirmed", "cancelled"])
def test_only_what_left_the_house_comes_back(books, status):
    books.status = status
    with pytest.raises(NotReturnable):
        take(books, lines((1, 1)), None)
    with pytest.raises(NotReturnable):
        take(books, (), gbp("1.00"))
