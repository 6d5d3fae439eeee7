"""Reads for the back office's pages about more than one thing."""

from collections.abc import Collection
from uuid import UUID

from apps.catalog.contracts import LowStock, StockMoment
from apps.catalog.enums import DATABASE
from apps.common.databases import fetch_all


def stock_moments_of(*, order_id: UUID) -> tuple[StockMoment, ...]:
    """What the stock ledger says of the order, one moment per movement, oldest first."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT l.created_at, l.kind, sum(l.delta_on_hand)::bigint, sum(l.delta_reserved)::bigint,
               count(DISTINCT l.product_id), (array_agg(DISTINCT p.sku ORDER BY p.sku))[1:3],
               l.reason, l.actor
        FROM catalog_stockledgerentry l JOIN catalog_product p ON p.id = l.product_id
        WHERE l.order_id = %s
        GROUP BY l.created_at, l.kind, l.reason, l.actor ORDER BY min(l.id)
        """,
        [order_id],
    )
    return tuple(StockMoment(*row[:5], tuple(row[5]), *row[6:]) for row in rows)


def stock_low(*, below: int, most: int) -> tuple[int, tuple[LowStock, ...]]:
    """How many products for sale have fewer than ``below`` pieces available, and the scarcest."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT p.public_id, p.sku, p.name, s.on_hand - s.reserved, count(*) OVER ()
        FROM catalog_stockitem s JOIN catalog_product p ON p.id = s.product_id
        WHERE s.on_hand - s.reserved < %s AND p.deleted IS NULL AND p.active
        ORDER BY s.on_hand - s.reserved, p.name LIMIT %s
        """,
        [below, most],
    )
    return (rows[0][4] if rows else 0), tuple(LowStock(*row[:4]) for row in rows)


def products_find(*, skus: Collection[str]) -> dict[str, UUID]:
    """The living ones of these SKUs: sku → public id."""
    rows = fetch_all(
        DATABASE,
        "SELECT sku, public_id FROM catalog_product"
        " WHERE sku = ANY(%s::text[]) AND deleted IS NULL",
        [list(skus)],
    )
    return dict(rows)
