"""What orders refer to in other databases, for those who would remove it for good."""

from collections.abc import Collection
from uuid import UUID

from apps.common.databases import fetch_all
from apps.orders.enums import DATABASE


def products_ordered(product_ids: Collection[UUID]) -> set[UUID]:
    """Those of the products that stand in an order, whatever became of it."""
    rows = fetch_all(
        DATABASE,
        "SELECT DISTINCT product_id FROM orders_orderline WHERE product_id = ANY(%s)",
        [list(product_ids)],
    )
    return {product_id for [product_id] in rows}


def customers_with_orders(customer_ids: Collection[UUID]) -> set[UUID]:
    """Those of the customers who have ever placed an order."""
    rows = fetch_all(
        DATABASE,
        "SELECT DISTINCT customer_id FROM orders_order WHERE customer_id = ANY(%s)",
        [list(customer_ids)],
    )
    return {customer_id for [customer_id] in rows}
