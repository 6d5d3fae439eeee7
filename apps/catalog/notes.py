"""What the staff log says of products and categories: only what differs, in plain words."""

from typing import Any

from moneyed import Money

from apps.catalog.enums import DATABASE
from apps.catalog.models import Category, Product
from apps.messaging.staff_log import differing, staff_change

__all__ = ["category_facts", "category_noted", "differing", "facts", "product_noted"]
PRODUCT, CATEGORY = "catalog.product", "catalog.category"
PRODUCT_FIELDS = ("sku", "slug", "name", "description", "attributes", "active", "price")


def plain(value: Any) -> Any:
    """The value as the log keeps it: prices as ``12.50 GBP``."""
    return f"{value.amount} {value.currency.code}" if isinstance(value, Money) else value


def facts(product: Product) -> dict[str, Any]:
    """All that staff can set, and the category's slug."""
    values = {name: plain(getattr(product, name)) for name in PRODUCT_FIELDS}
    return values | {"category": product.category.slug if product.category else None}


def category_facts(category: Category, parent: Category | None) -> dict[str, Any]:
    return {
        "name": category.name,
        "slug": category.slug,
        "parent": parent.slug if parent else None,
    }


def product_noted(product: Product, action: str, before: Any = None, after: Any = None) -> None:
    """Notes what the member of staff at work does to the product, in its transaction."""
    staff_change(
        DATABASE,
        subject=PRODUCT,
        subject_id=product.public_id,
        action=action,
        before=before,
        after=after,
    )


def category_noted(category: Category, action: str, before: Any = None, after: Any = None) -> None:
    """As ``product_noted``, for a category."""
    staff_change(
        DATABASE,
        subject=CATEGORY,
        subject_id=category.public_id,
        action=action,
        before=before,
        after=after,
    )
