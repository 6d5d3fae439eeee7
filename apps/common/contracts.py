"""Contracts between apps: frozen dataclasses that survive a trip through JSON.

``to_builtins`` and ``from_builtins`` are exact inverses for every contract (a test round-trips
each), so that a facade can answer in process today and over HTTP tomorrow. Money travels as
``{"amount": "12.34", "currency": "GBP"}``.
"""

import hashlib
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
import orjson
from moneyed import Money

T = TypeVar("T")


def _encode(value: Any) -> Any:
    if isinstance(value, Money):
        return {"amount": str(value.amount), "currency": value.currency.code}
    raise TypeError(f"a contract cannot hold {type(value).__name__}")


def _decode(kind: type, value: Any) -> Any:
    if kind is Money:
        return Money(Decimal(value["amount"]), value["currency"])
    raise TypeError(f"a contract cannot hold {kind.__name__}")


def _schema(kind: type) -> dict[str, Any]:
    if kind is Money:
        return {
            "type": "object",
            "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
            "required": ["amount", "currency"],
        }
    raise TypeError(f"a contract cannot hold {kind.__name__}")


_encoder = msgspec.json.Encoder(enc_hook=_encode)


def to_builtins(contract: Any) -> Any:
    """The contract as dicts, lists and strings."""
    return msgspec.to_builtins(contract, enc_hook=_encode)


def encode(contract: Any) -> bytes:
    """The contract as JSON."""
    return _encoder.encode(contract)


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Reads JSON as a ``kind``; its ``decode`` raises ``msgspec.DecodeError`` for what is no JSON
    or does not fit."""
    return msgspec.json.Decoder(kind, dec_hook=_decode)


def json_schema(kind: type) -> dict[str, Any]:
    """The JSON schema (2020-12) of a contract."""
    return msgspec.json.schema(kind, schema_hook=_schema)


def from_builtins(kind: type[T], data: Any) -> T:
    """``data`` as a ``kind``; ``msgspec.ValidationError`` names the path that does not fit."""
    return msgspec.convert(data, kind, dec_hook=_decode)


def request_hash(data: Any) -> str:
    """A short digest of a request, independent of key order: same request, same digest."""
    raw = orjson.dumps(to_builtins(data), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(raw, digest_size=16).hexdigest()
