"""What can go wrong with products and categories."""

import re
from typing import NamedTuple

from django.db import IntegrityError

from apps.common.errors import Conflict, FieldError

# PostgreSQL's detail of a unique violation, in whatever language: "Key (sku)=(CUP-1) …".
KEY = re.compile(r"\(\w+\)=\((.*)\)", re.DOTALL)


class Clash(NamedTuple):
    """Which unique name was refused: ``value`` of the ``field`` of a ``model``'s living rows."""

    model: str
    field: str
    value: str


CONSTRAINTS = {
    "product_sku": ("product", "sku"),
    "product_slug": ("product", "slug"),
    "category_slug": ("category", "slug"),
}
WORDS = {"sku": "SKU", "slug": "slug"}


class Taken(Conflict):
    """A living thing has this name already; ``extra`` tells which name and who holds it."""

    code, title = "taken", "This name is taken"


def clash_of(error: IntegrityError) -> Clash | None:
    """The clash of names behind ``error``, if it is one."""
    diagnosis = getattr(error.__cause__, "diag", None)
    known = CONSTRAINTS.get(diagnosis.constraint_name) if diagnosis else None
    if known is None:
        return None
    key = KEY.search(diagnosis.message_detail or "")
    return Clash(*known, key[1] if key else "")


def taken(clash: Clash, holder: dict[str, str] | None) -> Taken:
    """The error for a caller; ``holder`` (id, name) is who has the name, if it still has."""
    detail = f"Another {clash.model} has this {WORDS[clash.field]}"
    detail += f": “{holder['name']}”." if holder else "."
    return Taken(
        detail,
        code=f"{clash.field}_taken",
        errors=[FieldError(clash.field, "taken", detail)],
        field=clash.field,
        holder=holder,
    )
