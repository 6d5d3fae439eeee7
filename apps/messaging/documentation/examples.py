"""An example of each event: made of its types, the same at each call."""

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, get_type_hints
from uuid import UUID

import msgspec
from moneyed import Money

from apps.common.contracts import encode
from apps.messaging.contracts import Envelope, EventContract
from apps.messaging.documentation.fields import item_of, without_none

MOMENT = datetime(2026, 3, 9, 14, 5, 30, tzinfo=UTC)
PERSON = "Ann Lee"
# By a field's name, where any text would not do.
TEXTS = {
    "cause": "released",
    "code": "card_declined",
    "country": "GB",
    "currency": "GBP",
    "email": "ann@example.org",
    "method": "card",
    "name": "Blue cup",
    "operation": "authorization",
    "participant": "stock",
    "payment_method": "card",
    "payment_status": "voided",
    "reason": "changed_mind",
    "sku": "CUP-1",
    "slug": "blue-cup",
    "tracking_number": "HF000012345GB",
}


def example(contract: EventContract) -> bytes:
    """An envelope with a payload of the contract, as JSON."""
    payload = example_of(contract.payload)
    names = (f"{contract.aggregate_kind}_id", "order_id", "product_id")
    ids = [getattr(payload, name) for name in names if hasattr(payload, name)]
    return encode(
        Envelope(
            event_id=_id("event_id"),
            topic=contract.topic,
            aggregate=f"{contract.aggregate_kind}:{ids[0] if ids else _id('aggregate')}",
            aggregate_version=1,
            schema_version=contract.version,
            occurred_at=MOMENT,
            payload=msgspec.Raw(encode(payload)),
            headers={"correlation_id": "5d0f7c3b9a1e4f6c"},
        )
    )


def example_of(payload: type) -> Any:
    """An instance of a payload's dataclass: every field has a value, every list one item."""
    hints = get_type_hints(payload)
    values = {one.name: _value(one.name, hints[one.name]) for one in fields(payload)}
    if "email" in values:
        values["name"] = PERSON
    return payload(**values)


def _value(name: str, hint: Any) -> Any:
    kind, _ = without_none(hint)
    inner, many = item_of(kind)
    if many:
        return (_value(name, inner),)
    if is_dataclass(kind):
        return example_of(kind)
    if issubclass(kind, Enum):
        return next(iter(kind))
    if kind is UUID:
        return _id(name)
    if kind is str:
        return TEXTS.get(name, name.replace("_", " "))
    return {
        bool: True,
        int: 3,
        Decimal: Decimal("4.20"),
        Money: Money("12.60", "GBP"),
        datetime: MOMENT,
    }[kind]


def _id(name: str) -> UUID:
    """A UUIDv7 that looks like one and is the same for a name."""
    digits = f"{sum((n + 1) * ord(letter) for n, letter in enumerate(name)):012x}"
    return UUID(f"019cd2f5-1c40-7a{digits[-2:]}-9c3e-{digits}")
