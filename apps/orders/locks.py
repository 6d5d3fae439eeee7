"""The one place that locks orders: in primary-key order."""

from collections.abc import Collection
from uuid import UUID

from apps.common.databases import fetch_all, require_atomic
from apps.orders.enums import DATABASE
from apps.orders.errors import OrderNotFound
from apps.orders.models import Order


def order_locked(order_id: UUID) -> Order:
    """The order, locked to the end of the caller's transaction; raises ``OrderNotFound``."""
    require_atomic(DATABASE)
    order = Order.objects.select_for_update().filter(pk=order_id).first()
    if order is None:
        raise OrderNotFound()
    return order


def orders_locked(order_ids: Collection[UUID]) -> dict[UUID, Order]:
    """Those of the orders that exist, locked to the end of the caller's transaction."""
    require_atomic(DATABASE)
    orders = Order.objects.select_for_update().filter(pk__in=order_ids).order_by("pk")
    return {order.pk: order for order in orders}


def lock_orders(order_ids: Collection[UUID]) -> None:
    """As ``orders_locked``, for what only writes."""
    require_atomic(DATABASE)
    fetch_all(
        DATABASE,
        "SELECT id FROM orders_order WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
        [list(order_ids)],
    )
