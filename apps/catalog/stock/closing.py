"""The end of a product's stock item."""

from apps.catalog.enums import DATABASE
from apps.catalog.stock import sql
from apps.common.databases import require_atomic
from apps.common.errors import Conflict


def close_item(product_pk: int) -> None:
    """Removes the stock item of a product about which the books say nothing.

    Works in the caller's transaction. Raises ``Conflict`` (``in_use``) where a reservation or a
    movement of stock names the product, with how many of each.
    """
    require_atomic(DATABASE)
    # Whoever moves stock holds this lock; after it a movement finds no stock item.
    sql.lock_items_by_pk([product_pk])
    if sql.delete_items([product_pk]):
        return
    reservations, movements = sql.uses_of(product_pk)
    if reservations or movements:
        raise Conflict(
            f"{reservations} reservations and {movements} movements of stock tell of it.",
            code="in_use",
            reservations=reservations,
            stock_movements=movements,
        )
