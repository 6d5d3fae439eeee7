"""Reads."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
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


def products_for_sale() -> QuerySet[Product]:
    """What customers may see: living and active, with category and ``available`` pieces."""
    return (
        Product.objects.using(DATABASE)
        .filter(active=True)
        .select_related("category")
        .annotate(
            available=Coalesce(F("stock_item__on_hand") - F("stock_item__reserved"), 0),
        )
    )


def category_subtree(*, slug: str) -> list[int]:
    """The living category of this slug and all below it (primary keys); empty if unknown."""
    rows = fetch_all(
        DATABASE,
        """
        WITH RECURSIVE below AS (
            SELECT id FROM catalog_category WHERE slug = %s AND deleted IS NULL
            UNION
            SELECT child.id FROM catalog_category child JOIN below ON child.parent_id = below.id
            WHERE child.deleted IS NULL
        )
        SELECT id FROM below
        """,
        [slug],
    )
    return [pk for (pk,) in rows]
