"""Finding products by what their JSON attributes hold."""

import re
from typing import Any

import orjson
from django.db.models import Q

from apps.common.errors import InvalidInput

PREFIX = "attributes."
MAX_FILTERS, MAX_LEVELS, MAX_LENGTH = 10, 5, 200
SCALAR = re.compile(r"true|false|null|-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?", re.ASCII)


def having(name: str, values: list[str]) -> Q:
    """Products whose attribute ``name`` is one of ``values``, or a list that holds one of them.

    A dot leads into an object: ``size.width``. Query strings know no types: ``2`` is found as the
    number and as the text. Every alternative is a containment, which the GIN index answers.
    """
    path = name.split(".")
    if len(name) > MAX_LENGTH or len(path) > MAX_LEVELS or not all(path):
        raise InvalidInput.field(f"{PREFIX}{name}"[:100], "invalid", "Not a name of an attribute.")
    found = Q()
    for value in values:
        if len(value) > MAX_LENGTH:
            raise InvalidInput.field(
                f"{PREFIX}{name}", "max_length", f"At most {MAX_LENGTH} characters."
            )
        for meaning in _meanings(value):
            found |= Q(attributes__contains=_nested(path, meaning))
            found |= Q(attributes__contains=_nested(path, [meaning]))
    return found


def _meanings(value: str) -> list[Any]:
    return [value, orjson.loads(value)] if SCALAR.fullmatch(value) else [value]


def _nested(path: list[str], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return value
