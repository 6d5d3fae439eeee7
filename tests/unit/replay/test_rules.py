"""Every reason for which a row is no sale, and the order in which they are asked."""

from decimal import Decimal

import pytest

from apps.orders.replay.rules import NOT_GOODS_CODES, Rejection, pence, rejection, stock_code


def reject(**changes):
    row = {
        "invoice": "536365",
        "code": "85123A",
        "quantity": 6,
        "price": Decimal("2.55"),
        "customer": 17850,
    }
    return rejection(**row | changes)


def test_a_plain_sale_is_accepted():
    assert reject() is None
    assert reject(code="POST") is None


# From the last check to the first: each next row is wrong in one more way.
WRONGS = [
    (Rejection.NOT_GOODS, {"code": "M"}),
    (Rejection.PRICE_PRECISION, {"price": Decimal("0.001")}),
    (Rejection.NON_POSITIVE_PRICE, {"price": Decimal("-0.001")}),
    (Rejection.NON_POSITIVE_QUANTITY, {"quantity": 0}),
    (Rejection.NO_CUSTOMER, {"customer": None}),
    (Rejection.CANCELLATION, {"invoice": "C536379"}),
    (Rejection.ADJUSTMENT, {"invoice": "A563185"}),
]


@pytest.mark.parametrize("count", range(1, len(WRONGS) + 1))
def test_the_first_reason_in_the_order_of_the_checks_counts(count):
    changes = {}
    for _, wrong in WRONGS[:count]:
        changes |= wrong
    assert reject(**changes) is WRONGS[count - 1][0]


@pytest.mark.parametrize("wrong", WRONGS)
def test_each_reason_alone(wrong):
    assert reject(**wrong[1]) is wrong[0]


@pytest.mark.parametrize("code", sorted(NOT_GOODS_CODES))
def test_charges_and_corrections_are_no_goods(code):
    assert reject(code=code) is Rejection.NOT_GOODS


@pytest.mark.parametrize(
    ("price", "expected"),
    [("2.55", 255), ("0.01", 1), ("3", 300), ("2.550", 255), ("1E+2", 10000), ("0.001", None)],
)
def test_a_price_in_pence_is_exact_or_none(price, expected):
    assert pence(Decimal(price)) == expected


def test_stock_codes_are_trimmed_and_upper_cased():
    assert stock_code(" 85123a\t") == "85123A"
