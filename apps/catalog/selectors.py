"""Reads."""

from collections.abc import Sequence
from uuid import UUID

from moneyed import Money

from apps.catalog.contracts import Offer, StockLevel
from apps.catalog.enums import DATABASE
from apps.catalog.models import Product
from apps.common.databases import fetch_all


def offers_get(*, product_ids: Sequence[UUID]) -> tuple[Offer, ...]:
    """The living ones of these products, each once, in no particular order."""
    rows = fetch_all(
        DATABASE,
        "SELECT public_id, sku, name, price, price_currency, active FROM catalog_product"
        " WHERE public_id = ANY(%s::uuid[]) AND deleted IS NULL",
        [list(product_ids)],
    )
    return tuple(
        Offer(public_id, sku, name, Money(amount, currency), active)
        for public_id, sku, name, amount, currency, active in rows
    )


def stock_levels_get(*, product_ids: Sequence[UUID]) -> tuple[StockLevel, ...]:
    """The stock of these products, deleted ones included, in no particular order."""
    rows = fetch_all(
        DATABASE,
        "SELECT p.public_id, s.on_hand, s.reserved FROM catalog_stockitem s"
        " JOIN catalog_product p ON p.id = s.product_id WHERE p.public_id = ANY(%s::uuid[])",
        [list(product_ids)],
    )
    return tuple(StockLevel(*row) for row in rows)


def catalogue_is_empty() -> bool:
    """Whether there has never been a product, not even one that was deleted since."""
    return not Product.all_objects.exists()
