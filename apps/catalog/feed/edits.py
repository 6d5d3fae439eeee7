"""An edit of price and attributes, as fields that coalesce: of each the newest stands.

``price`` is ``12.50 GBP``; ``a:material`` is the attribute's new value as JSON, ``null`` to remove
it; ``actor`` and ``request`` say whose edit was the last and which request brought it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import orjson

PRICE, ACTOR, REQUEST = "price", "actor", "request"
ATTRIBUTE = "a:"
NULL = b"null"
NOBODY = "feed"


@dataclass(frozen=True, slots=True)
class ProductEdit:
    """``price`` is amount and currency; ``removed`` are names of attributes that go."""

    price: tuple[str, str] | None = None
    attributes: Mapping[str, msgspec.Raw] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    actor: str = NOBODY
    request: str = ""


def to_fields(
    *, price: tuple[str, str] | None = None, attributes: Mapping[str, Any] | None = None
) -> dict[str, bytes]:
    """The fields of new values; raises ``TypeError`` for an attribute that is no JSON (numbers
    beyond 64 bits are none)."""
    fields: dict[str, bytes] = {}
    if price is not None:
        fields[PRICE] = f"{price[0]} {price[1]}".encode()
    if attributes:
        for name, value in attributes.items():
            fields[ATTRIBUTE + name] = NULL if value is None else orjson.dumps(value)
    return fields


def signature(actor: str, request: str) -> dict[str, bytes]:
    """The fields that say whose edit it is."""
    return {ACTOR: actor.encode(), REQUEST: request.encode()}


def from_fields(fields: Mapping[str, bytes]) -> ProductEdit:
    """The edit behind the fields; raises ``ValueError`` where they are none."""
    price, actor, request = None, NOBODY, ""
    attributes: dict[str, msgspec.Raw] = {}
    removed = []
    for name, value in fields.items():
        if name == PRICE:
            amount, _, currency = value.decode().partition(" ")
            price = amount, currency
        elif name[:2] == ATTRIBUTE:
            if value == NULL:
                removed.append(name[2:])
            else:
                attributes[name[2:]] = msgspec.Raw(value)
        elif name == ACTOR:
            actor = value.decode()
        elif name == REQUEST:
            request = value.decode()
        else:
            raise ValueError(f"{name} is no field of an edit")
    return ProductEdit(price, attributes, tuple(removed), actor, request)
