"""Which values products and categories may have, the same for staff, imports and the sample."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from django.conf import settings
from moneyed import Money

from apps.common.errors import FieldError, InvalidInput

MAX_PRICE = 9_999_999_999
MAX_DESCRIPTION, MAX_ATTRIBUTES = 20_000, 65_536
SLUG = re.compile(r"[-_a-z0-9]+", re.ASCII)
Complaint = tuple[str, str] | None


def _text(longest: int, *, blank: bool = False) -> Callable[[str], Complaint]:
    def check(value: str) -> Complaint:
        if not value.strip() and not blank:
            return "blank", "This field may not be blank."
        if len(value) > longest:
            return "max_length", f"At most {longest:,} characters."
        if "\x00" in value:
            return "null_characters_not_allowed", "Null characters are not allowed."
        return None

    return check


def _slug(longest: int) -> Callable[[str], Complaint]:
    def check(value: str) -> Complaint:
        if not SLUG.fullmatch(value):
            return "invalid", "Small letters, digits, hyphens and underscores only."
        return ("max_length", f"At most {longest} characters.") if len(value) > longest else None

    return check


def _price(value: Money) -> Complaint:
    if value.currency.code not in settings.CURRENCIES:
        return "currency", f"The shop does not sell in {value.currency}."
    if not value.amount.is_finite() or not 0 <= value.amount <= MAX_PRICE:
        return "range", f"0 to {MAX_PRICE:,}."
    if value.amount != round(value.amount, 2):
        return "max_decimal_places", "At most two decimals."
    return None


def _attributes(value: Any) -> Complaint:
    if not isinstance(value, dict):
        return "invalid", "Must be a JSON object."
    try:
        raw = orjson.dumps(value)
    except TypeError:
        return "invalid", "Must be a JSON object."
    if len(raw) > MAX_ATTRIBUTES:
        return "max_length", f"At most {MAX_ATTRIBUTES:,} bytes."
    # PostgreSQL's jsonb cannot hold it, escaped or not.
    return ("invalid", "Null characters are not allowed.") if rb"\u0000" in raw else None


PRODUCT = {
    "sku": _text(64),
    "slug": _slug(255),
    "name": _text(200),
    "description": _text(MAX_DESCRIPTION, blank=True),
    "price": _price,
    "attributes": _attributes,
}
CATEGORY = {"slug": _slug(120), "name": _text(100)}


def check(rules: Mapping[str, Callable], values: Mapping[str, Any], prefix: str = "") -> None:
    """Raises ``InvalidInput`` naming each of ``values`` that breaks its rule."""
    found = [
        FieldError(f"{prefix}{name}", *complaint)
        for name, rule in rules.items()
        if name in values and (complaint := rule(values[name]))
    ]
    if found:
        raise InvalidInput(errors=found)
