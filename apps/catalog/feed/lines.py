"""What was sent, line by line: what each asks for, or what is wrong with it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from moneyed import get_currency
from msgspec import UNSET, UnsetType

from apps.catalog.checks import MAX_PRICE
from apps.catalog.contracts import FeedForm, LineError
from apps.catalog.feed.edits import to_fields
from apps.catalog.stock.moving import MAX_PIECES
from apps.common.errors import InvalidInput
from apps.common.storing import storable

MAX_LINES, MAX_LINE = 10_000, 65_536  # bytes of one line
MAX_NAMES = 500  # attributes of one line
MAX_DEPTH = 32
MAX_NAME = 100  # characters of a name in an error
# What nearly all amounts look like; of the others ``_price`` says what is wrong.
CENTS = re.compile(r"\d{1,10}\.\d\d", re.ASCII)
AMOUNT = re.compile(r"-?\d{1,12}(\.\d{1,4})?", re.ASCII)
# msgspec's messages: "Expected `str`, got `int` - at `$.price.amount`".
SAID = re.compile(r"(?P<text>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
UNKNOWN, MISSING = (
    re.compile(r"Object contains unknown field `(.*)`", re.DOTALL),
    re.compile(r"Object missing required field `(.*)`", re.DOTALL),
)


class PriceIn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    amount: str
    currency: str


class StockIn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    on_hand: int | UnsetType = UNSET
    delta: int | UnsetType = UNSET


class LineIn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A line as it is sent; see ``docs/api.md``."""

    sku: str | UnsetType = UNSET
    id: UUID | UnsetType = UNSET
    price: PriceIn | UnsetType = UNSET
    attributes: dict[str, Any] | UnsetType = UNSET
    stock: StockIn | UnsetType = UNSET


@dataclass(slots=True)
class Line:
    """A line that was read; ``fields`` are those of ``edits``. With ``errors`` nothing is done."""

    number: int
    sku: str = ""
    key: str = ""  # the product's public id, once it is known
    fields: dict[str, bytes] = field(default_factory=dict)
    size: int = 0  # bytes of its attributes
    count: tuple[int | None, int | None] | None = None  # pieces in the house, or how many more
    errors: tuple[LineError, ...] = ()

    def refuse(self, name: str, code: str, detail: str) -> None:
        """``name`` and ``detail`` may repeat what was sent, and are kept with the answer."""
        error = LineError(self.number, storable(name), code, storable(detail))
        self.errors = (*self.errors, error)


NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Wrong(Exception):
    """What is wrong with a line: field, code, detail."""


_line = msgspec.json.Decoder(LineIn)
_array = msgspec.json.Decoder(list[msgspec.Raw])


def read(body: bytes, form: FeedForm) -> list[Line]:
    """The lines of ``body``, empty ones left out.

    Raises ``InvalidInput`` where it is as a whole no feed: no JSON array, no line at all, more than
    10,000.
    """
    lines = [_read(number, raw) for number, raw in _raw(body, form)]
    if not lines:
        raise InvalidInput("The feed has no line.", code="empty")
    return lines


def _raw(body: bytes, form: FeedForm) -> Iterator[tuple[int, bytes | msgspec.Raw]]:
    if form is FeedForm.NDJSON:
        parts = body.split(b"\n") if body.count(b"\n") <= 2 * MAX_LINES else ()
        found = [(n, raw) for n, raw in enumerate(parts, 1) if raw and not raw.isspace()]
        if not parts:
            raise _too_many()
    else:
        try:
            found = list(enumerate(_array.decode(body), 1))
        except NO_JSON as error:
            text = f"The body is not a JSON array of objects: {error}"
            raise InvalidInput(text, code="malformed_json") from error
    if len(found) > MAX_LINES:
        raise _too_many()
    return iter(found)


def _too_many() -> InvalidInput:
    return InvalidInput(f"A feed has at most {MAX_LINES:,} lines.", code="too_many_lines")


def _read(number: int, raw: bytes | msgspec.Raw) -> Line:
    line = Line(number)
    try:
        _understand(line, bytes(raw) if isinstance(raw, msgspec.Raw) else raw)
    except _Wrong as wrong:
        line.refuse(*wrong.args)
    return line


def _understand(line: Line, raw: bytes) -> None:
    if len(raw) > MAX_LINE:
        raise _Wrong("", "line_too_long", f"A line has at most {MAX_LINE:,} bytes.")
    given = _decoded(raw)
    if (given.sku is UNSET) == (given.id is UNSET):
        raise _Wrong("sku", "required", "Name the product by its sku or by its id.")
    if given.sku is UNSET:
        line.key = str(given.id)
    elif not given.sku or len(given.sku) > 64:
        raise _Wrong("sku", "does_not_exist", "There is no such product.")
    else:
        line.sku = given.sku
    price = attributes = None
    if given.price is not UNSET:
        price = _price(given.price)
    if given.attributes is not UNSET:
        attributes = given.attributes
    if given.stock is not UNSET:
        line.count = _stock(given.stock)
    if price is None and not attributes and line.count is None:
        raise _Wrong("", "nothing_to_change", "Give a price, attributes or stock.")
    try:
        line.fields = to_fields(price=price, attributes=attributes)
    except TypeError as error:
        raise _Wrong("attributes", "invalid", str(error)) from error
    if attributes:
        line.size = len(raw)
        if len(attributes) > MAX_NAMES:
            raise _Wrong("attributes", "max_length", f"At most {MAX_NAMES:,} in one line.")


def _decoded(raw: bytes) -> LineIn:
    try:
        given = _line.decode(raw)
    except msgspec.ValidationError as error:
        raise _wrong(str(error)) from error
    except NO_JSON as error:
        raise _Wrong("", "malformed_json", f"Not valid JSON: {error}") from error
    if b"\\u0000" in raw:
        raise _Wrong("", "nul", "NUL is not allowed.")
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        _check_depth(msgspec.json.decode(raw))
    # As many colons as names: then no name stands twice.
    if raw.count(b":") > _names(given):
        # Two readers of the same line must not see different values for a name.
        json.loads(raw, object_pairs_hook=_pairs, parse_int=str, parse_float=str)
    return given


def _names(given: LineIn) -> int:
    """How many names the line has on its first two levels."""
    return (
        1
        + (given.price is not UNSET) * 3
        + (0 if given.attributes is UNSET else 1 + len(given.attributes))
        + (0 if given.stock is UNSET else 1 + _stock_names(given.stock))
    )


def _stock_names(stock: StockIn) -> int:
    return (stock.on_hand is not UNSET) + (stock.delta is not UNSET)


def _check_depth(data: Any, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise _Wrong("", "too_deep", f"It nests deeper than {MAX_DEPTH} levels.")
    if isinstance(data, dict | list):
        for inner in data.values() if isinstance(data, dict) else data:
            _check_depth(inner, depth + 1)


def _pairs(pairs: list[tuple[str, Any]]) -> None:
    names = set()
    for name, _ in pairs:
        if name in names:
            raise _Wrong(name[:MAX_NAME], "duplicate_field", "Given twice.")
        names.add(name)


def _wrong(message: str) -> _Wrong:
    said = SAID.fullmatch(message)
    text, path = said["text"], (said["path"] or "")[:MAX_NAME]
    for pattern, code, detail in (
        (UNKNOWN, "unknown_field", "Unknown field."),
        (MISSING, "required", "This field is required."),
    ):
        if match := pattern.fullmatch(text):
            name = match[1][:MAX_NAME]
            return _Wrong(f"{path}.{name}" if path else name, code, detail)
    return _Wrong(path, "invalid", f"{text}.")


@cache
def _decimals(currency: str) -> int:
    return len(str(get_currency(currency).sub_unit)) - 1


def _price(given: PriceIn) -> tuple[str, str]:
    """Amount and currency as they are kept."""
    if given.currency not in settings.CURRENCIES:
        raise _Wrong("price.currency", "invalid_choice", "Not a currency of this shop.")
    decimals = _decimals(given.currency)
    if decimals == 2 and CENTS.fullmatch(given.amount):
        return given.amount, given.currency
    if not AMOUNT.fullmatch(given.amount):
        raise _Wrong("price.amount", "invalid", 'Must be a string like "12.34", below 10^12.')
    amount = Decimal(given.amount)
    if amount != round(amount, decimals):
        text = f"More decimals than {given.currency} has."
        raise _Wrong("price.amount", "max_decimal_places", text)
    if amount < 0:
        raise _Wrong("price.amount", "min_value", "Must be at least 0.")
    if amount > MAX_PRICE:
        raise _Wrong("price.amount", "max_value", f"At most {MAX_PRICE:,}.")
    return f"{abs(amount):.2f}", given.currency


def _stock(given: StockIn) -> tuple[int | None, int | None]:
    on_hand = None if given.on_hand is UNSET else given.on_hand
    delta = None if given.delta is UNSET else given.delta
    if (on_hand is None) == (delta is None):
        raise _Wrong("stock", "invalid", "Give on_hand or delta.")
    name, value = ("stock.on_hand", on_hand) if delta is None else ("stock.delta", delta)
    least = 0 if delta is None else -MAX_PIECES
    if value < least:
        raise _Wrong(name, "min_value", f"At least {least:,}.")
    if value > MAX_PIECES:
        raise _Wrong(name, "max_value", f"At most {MAX_PIECES:,}.")
    return on_hand, delta
