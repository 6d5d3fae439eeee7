"""JSON out: UTC times with Z, UUIDs, decimals as strings, money as amount and currency."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise
from moneyed import Currency, Money
from rest_framework.renderers import BaseRenderer

OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME


def money_to_json(money: Money) -> dict[str, str]:
    """``{"amount": "12.30", "currency": "GBP"}``, with the currency's decimals."""
    amount = money.amount
    rounded = amount.quantize(Decimal(1) / money.currency.sub_unit)
    # An amount finer than the currency is shown as it is: nothing is rounded on the way out.
    return {
        "amount": f"{rounded if rounded == amount else amount:f}",
        "currency": money.currency.code,
    }


def _default(value: Any) -> Any:
    match value:
        case datetime():
            if value.tzinfo is None:
                raise TypeError("a time without a zone cannot be sent")
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Money():
            return money_to_json(value)
        case Decimal():
            return f"{value:f}"
        case Currency():
            return value.code
        case Promise():
            return str(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


def dumps(data: Any) -> bytes:
    """``data`` as JSON bytes; frozen contracts (dataclasses) may stand anywhere in it."""
    return orjson.dumps(data, default=_default, option=OPTIONS)


class JsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type=None, renderer_context=None) -> bytes:
        return b"" if data is None else dumps(data)
