"""A payload's fields: their names, types and meanings in words."""

import re
import types
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from moneyed import Money

WORDS = {
    UUID: "UUID",
    str: "text",
    int: "integer",
    bool: "true or false",
    Decimal: "decimal, as text",
    datetime: "time, ISO 8601",
    Money: "money",
}


class Row(NamedTuple):
    """``name`` is a path: ``lines[].quantity``."""

    name: str
    type: str
    meaning: str


def rows(payload: type, path: str = "") -> Iterator[Row]:
    """The fields of a payload and of what it holds, in their order."""
    meanings = meanings_of(payload)
    hints = get_type_hints(payload)
    for field in fields(payload):
        kind, optional = without_none(hints[field.name])
        inner, many = item_of(kind)
        suffix = ", or null" if optional else ""
        suffix += ", may be missing" if has_default(field) else ""
        name = path + field.name + ("[]" if many else "")
        of = "object" if is_dataclass(inner) else word(inner)
        words = f"list of {of}s" if many else of
        yield Row(name, words + suffix, meanings.get(field.name, ""))
        if is_dataclass(inner):
            yield from rows(inner, f"{name}.")


def word(kind: type) -> str:
    """The type in words; raises ``KeyError`` for one that events do not have so far."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(f"`{one.value}`" for one in kind)
    return WORDS[kind]


def prose_of(payload: type) -> str:
    """What its docstring says besides the fields; "" where it has none of its own."""
    text = payload.__doc__ or ""
    if text.startswith(f"{payload.__name__}("):  # what ``dataclass`` writes by itself
        return ""
    return _line(text.partition("Attributes:")[0])


def meanings_of(payload: type) -> dict[str, str]:
    """Field → what the ``Attributes:`` of the docstring say of it."""
    told = (payload.__doc__ or "").partition("Attributes:")[2]
    found = re.findall(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", told, re.MULTILINE)
    return {name: _line(text) for name, text in found}


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().replace("``", "`")


def without_none(hint: Any) -> tuple[Any, bool]:
    """The type, and whether None is allowed beside it."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    [kind] = [one for one in get_args(hint) if one is not types.NoneType]
    return kind, True


def item_of(kind: Any) -> tuple[Any, bool]:
    """What a tuple holds, and whether it is one."""
    return (get_args(kind)[0], True) if get_origin(kind) is tuple else (kind, False)


def has_default(field: Field) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING
