"""Fields take exactly what their JSON type says."""

from decimal import Decimal
from uuid import UUID

import pytest
from moneyed import Money
from rest_framework import serializers

from apps.common.rest.fields import (
    BooleanField,
    IntegerField,
    MoneyField,
    StringField,
    UUIDField,
)
from apps.common.rest.problems import problem_of
from apps.common.rest.serializers import StrictSerializer

ID = "0190f5a0-7c1e-7d52-8f2a-3f5d6a1b2c3d"


class Line(StrictSerializer):
    quantity = IntegerField(min_value=1, max_value=1_000_000)


class Form(StrictSerializer):
    count = IntegerField(required=False)
    name = StringField(max_length=5, required=False)
    product_id = UUIDField(required=False)
    gift = BooleanField(required=False)
    price = MoneyField(min_amount=Decimal("0.01"), required=False)
    lines = Line(many=True, allow_empty=False, max_length=2, required=False)
    number = serializers.CharField(read_only=True)


def errors_of(data):
    form = Form(data=data)
    try:
        form.is_valid(raise_exception=True)
    except serializers.ValidationError as exc:
        return [(error.field, error.code) for error in problem_of(exc).errors]
    return []


def test_accepts_what_fits():
    data = {
        "count": -(2**63),
        "name": " abc ",
        "product_id": ID,
        "gift": False,
        "price": {"amount": "12.3", "currency": "GBP"},
        "lines": [{"quantity": 1}, {"quantity": 1_000_000}],
    }
    form = Form(data=data)
    assert form.is_valid()
    assert form.validated_data == {
        "count": -(2**63),
        "name": "abc",
        "product_id": UUID(ID),
        "gift": False,
        "price": Money("12.3", "GBP"),
        "lines": [{"quantity": 1}, {"quantity": 1_000_000}],
    }


@pytest.mark.parametrize(
    "data, errors",
    [
        ({"count": "3"}, [("count", "invalid")]),
        ({"count": True}, [("count", "invalid")]),
        ({"count": 3.0}, [("count", "invalid")]),
        ({"count": 1e30}, [("count", "max_value")]),
        ({"count": -1e30}, [("count", "min_value")]),
        ({"count": 2**63}, [("count", "max_value")]),
        ({"count": -(2**63) - 1}, [("count", "min_value")]),
        ({"count": None}, [("count", "null")]),
        ({"count": [1]}, [("count", "invalid")]),
        ({"name": 3}, [("name", "invalid")]),
        ({"name": ["a"]}, [("name", "invalid")]),
        ({"name": " "}, [("name", "blank")]),
        ({"name": "abcdef"}, [("name", "max_length")]),
        ({"product_id": 7}, [("product_id", "invalid")]),
        ({"product_id": "abc"}, [("product_id", "invalid")]),
        ({"product_id": ID.replace("-", "")}, [("product_id", "invalid")]),
        ({"product_id": f"urn:uuid:{ID}"}, [("product_id", "invalid")]),
        ({"gift": "true"}, [("gift", "invalid")]),
        ({"gift": 1}, [("gift", "invalid")]),
        ({"price": "12.34"}, [("price", "invalid")]),
        ({"price": {}}, [("price.currency", "required"), ("price.amount", "required")]),
        (
            {"price": {"amount": 12.34, "currency": "XXX"}},
            [("price.currency", "invalid_choice"), ("price.amount", "invalid")],
        ),
        ({"price": {"amount": "1", "currency": ["GBP"]}}, [("price.currency", "invalid_choice")]),
        ({"price": {"amount": "1e3", "currency": "GBP"}}, [("price.amount", "invalid")]),
        ({"price": {"amount": "NaN", "currency": "GBP"}}, [("price.amount", "invalid")]),
        ({"price": {"amount": "١", "currency": "GBP"}}, [("price.amount", "invalid")]),
        ({"price": {"amount": "1" * 13, "currency": "GBP"}}, [("price.amount", "invalid")]),
        (
            {"price": {"amount": "1.234", "currency": "GBP"}},
            [("price.amount", "max_decimal_places")],
        ),
        ({"price": {"amount": "0", "currency": "GBP"}}, [("price.amount", "min_value")]),
        (
            {"price": {"amount": "1", "currency": "GBP", "tax": "0"}},
            [("price.tax", "unknown_field")],
        ),
        ({"lines": []}, [("lines", "empty")]),
        ({"lines": {}}, [("lines", "not_a_list")]),
        ({"lines": [1]}, [("lines[0]", "invalid")]),
        ({"lines": [{"quantity": 1}] * 3}, [("lines", "max_length")]),
        (
            {"lines": [{"quantity": 1}, {"quantity": 0}]},
            [("lines[1].quantity", "min_value")],
        ),
        (
            {"lines": [{"quantity": 1_000_001, "x": 1}, {}]},
            [
                ("lines[0].x", "unknown_field"),
                ("lines[0].quantity", "max_value"),
                ("lines[1].quantity", "required"),
            ],
        ),
        ({"colour": "red"}, [("colour", "unknown_field")]),
        ({"number": "7"}, [("number", "unknown_field")]),
        ({"colour": "red", "count": "3"}, [("colour", "unknown_field"), ("count", "invalid")]),
        ([], [("", "invalid")]),
        (None, [("", "null")]),
        ("text", [("", "invalid")]),
    ],
)
def test_names_what_does_not_fit(data, errors):
    assert errors_of(data) == errors


@pytest.mark.parametrize(
    "money, amount",
    [
        (Money("12.3", "GBP"), "12.30"),
        (Money("1E+3", "GBP"), "1000.00"),
        (Money("0", "EUR"), "0.00"),
        (Money("12.345", "GBP"), "12.345"),
        (Money("500", "JPY"), "500"),
    ],
)
def test_money_goes_out_with_its_currencys_decimals(money, amount):
    assert MoneyField().to_representation(money) == {
        "amount": amount,
        "currency": money.currency.code,
    }
