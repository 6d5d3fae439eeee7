"""JSON in, strictly: what is ambiguous or cannot be stored is refused before anyone looks at it."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from rest_framework.exceptions import ErrorDetail, ParseError, UnsupportedMediaType, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.settings import api_settings
from rest_framework.utils.mediatypes import _MediaType

MAX_DEPTH = 32
BEYOND = ErrorDetail("The number is too large.", code="max_value")
NUL = ErrorDetail("NUL is not allowed.", code="nul")


class StrictJsonParser(JSONParser):
    """UTF-8 JSON without duplicate keys, NUL characters or absurd nesting (else 400)."""

    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        charset = _MediaType(media_type or "").params.get("charset", "utf-8")
        if charset.strip('"').lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(media_type)
        return parse(stream.read())


def parse(body: bytes) -> Any:
    """``body`` as Python values; raises ``ParseError`` or ``ValidationError`` (both 400)."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        _refuse_endless_numbers(body)
        raise ParseError(f"The body is not valid JSON: {exc}", code="malformed_json") from exc
    _check_depth(data)
    _check_duplicates(body)
    if b"\\u0000" in body:  # unescaped, NUL is no valid JSON
        refuse_nul(data)
    return data


def _check_depth(data: Any) -> None:
    level, depth = [data], 0
    while level := [
        inner
        for value in level
        if isinstance(value, dict | list)
        for inner in (value.values() if isinstance(value, dict) else value)
    ]:
        depth += 1
        if depth > MAX_DEPTH:
            raise ParseError(f"The body nests deeper than {MAX_DEPTH} levels.", code="too_deep")


def _check_duplicates(body: bytes) -> None:
    """Two readers of the same document must not see different values for a name."""
    # Numbers stay text: their conversion is not needed here and can be made slow on purpose.
    json.loads(body, object_pairs_hook=_pairs, parse_int=str, parse_float=str)


def _pairs(pairs: list[tuple[str, Any]]) -> None:
    names = set()
    for name, _ in pairs:
        if name in names:
            raise ValidationError({name: [ErrorDetail("Given twice.", code="duplicate_field")]})
        names.add(name)


def _refuse_endless_numbers(body: bytes) -> None:
    """Names the numbers beyond what a double can hold, which the parser only calls malformed."""
    try:
        data = json.loads(body.decode(), parse_int=float, parse_constant=str)
    except (ValueError, RecursionError):
        return
    _check_depth(data)
    _refuse(data, lambda value: isinstance(value, float) and math.isinf(value), BEYOND)


def refuse_nul(data: Any) -> None:
    """Raises ``ValidationError`` naming every string with a NUL, which PostgreSQL cannot store."""
    _refuse(data, lambda value: isinstance(value, str) and "\x00" in value, NUL)


def _refuse(data: Any, bad: Callable[[Any], bool], error: ErrorDetail) -> None:
    found = {path: [error] for path in _where(data, bad, "")}
    if found:
        raise ValidationError(found)


def _where(data: Any, bad: Callable[[Any], bool], path: str) -> Iterator[str]:
    """The paths of all values and names in ``data`` that are ``bad``."""
    if bad(data):
        yield path or api_settings.NON_FIELD_ERRORS_KEY
    elif isinstance(data, list):
        for index, inner in enumerate(data):
            yield from _where(inner, bad, f"{path}[{index}]")
    elif isinstance(data, dict):
        for name, inner in data.items():
            clean = name.replace("\x00", "\N{SYMBOL FOR NULL}")
            inner_path = f"{path}.{clean}" if path else clean
            if bad(name):
                yield inner_path
            yield from _where(inner, bad, inner_path)
