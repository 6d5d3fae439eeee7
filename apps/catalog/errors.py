"""What can go wrong with products and categories."""

from django.db import IntegrityError

from apps.common.errors import Conflict

TAKEN = {
    "product_sku": ("sku", "Another product has this SKU."),
    "product_slug": ("slug", "Another product has this slug."),
    "category_slug": ("slug", "Another category has this slug."),
}


class Taken(Conflict):
    """A living thing has this name already; ``field`` in ``extra`` tells which name."""

    code, title = "taken", "This name is taken"


def taken(error: IntegrityError) -> Taken | None:
    """The clash behind ``error``, if it is one of names."""
    diagnosis = getattr(error.__cause__, "diag", None)
    known = TAKEN.get(diagnosis.constraint_name) if diagnosis else None
    if known is None:
        return None
    field, detail = known
    return Taken(detail, code=f"{field}_taken", field=field)
