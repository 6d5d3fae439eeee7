"""Fields that take exactly what their JSON type says: no ``"3"`` for 3, no ``true`` for 1."""

import re
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from moneyed import Money, get_currency
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from apps.common.rest.renderers import money_to_json

BIGINT = 2**63 - 1
AMOUNT = re.compile(r"-?\d{1,12}(\.\d{1,4})?", re.ASCII)


class IntegerField(serializers.IntegerField):
    """A JSON integer within PostgreSQL's bigint (or the given bounds)."""

    def __init__(self, *, min_value: int = -BIGINT - 1, max_value: int = BIGINT, **kwargs):
        super().__init__(min_value=min_value, max_value=max_value, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        # Beyond 64 bits the parser yields a float; such a number is too big, not of a wrong kind.
        if isinstance(data, float) and abs(data) >= 2**63:
            if data > 0:
                self.fail("max_value", max_value=self.max_value)
            self.fail("min_value", min_value=self.min_value)
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class BooleanField(serializers.BooleanField):
    """A JSON boolean."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class StringField(serializers.CharField):
    """A JSON string of at most ``max_length`` characters, trimmed at both ends."""

    def __init__(self, *, max_length: int, **kwargs):
        super().__init__(max_length=max_length, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            self.fail("invalid")
        return super().run_validation(data)


@extend_schema_field({"type": "string", "pattern": "^[A-Za-z]{2}$", "examples": ["GB"]})
class CountryField(StringField):
    """Two letters; whether they are a country (ISO 3166-1 alpha-2) is for the service to say."""

    def __init__(self, **kwargs):
        super().__init__(min_length=2, max_length=2, **kwargs)


class UUIDField(serializers.UUIDField):
    """A UUID in its usual form of 36 characters."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or len(data) != 36:
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"$ref": "#/components/schemas/Money"})
class MoneyField(serializers.Field):
    """``{"amount": "12.34", "currency": "GBP"}`` for a ``moneyed.Money``, both ways.

    ``min_amount`` bounds what is accepted; ``currencies`` default to the shop's.
    """

    default_error_messages = {"invalid": 'Must be like {{"amount": "12.34", "currency": "GBP"}}.'}

    def __init__(self, *, min_amount: Decimal | None = None, currencies=None, **kwargs):
        super().__init__(**kwargs)
        self.min_amount = min_amount
        self.currencies = currencies

    def to_representation(self, value: Money) -> dict[str, str]:
        return money_to_json(value)

    def to_internal_value(self, data: Any) -> Money:
        if not isinstance(data, dict):
            self.fail("invalid")
        errors = {
            name: [ErrorDetail("Unknown field.", code="unknown_field")]
            for name in data
            if name not in ("amount", "currency")
        }
        currency, amount = data.get("currency"), data.get("amount")
        if currency not in (self.currencies or settings.CURRENCIES):
            errors["currency"] = [self._error("currency", currency)]
        if not isinstance(amount, str) or not AMOUNT.fullmatch(amount):
            errors["amount"] = [self._error("amount", amount)]
        if errors:
            raise ValidationError(errors)
        return self._bounded(Money(Decimal(amount), get_currency(currency)))

    def _error(self, name: str, value: Any) -> ErrorDetail:
        if value is None:
            return ErrorDetail("This field is required.", code="required")
        if name == "currency":
            return ErrorDetail("Not a currency of this shop.", code="invalid_choice")
        return ErrorDetail('Must be a string like "12.34", below 10^12.', code="invalid")

    def _bounded(self, money: Money) -> Money:
        if money.amount != money.amount.quantize(Decimal(1) / money.currency.sub_unit):
            message = f"More decimals than {money.currency.code} has."
            raise ValidationError({"amount": [ErrorDetail(message, code="max_decimal_places")]})
        if self.min_amount is not None and money.amount < self.min_amount:
            message = f"Must be at least {self.min_amount}."
            raise ValidationError({"amount": [ErrorDetail(message, code="min_value")]})
        return money
