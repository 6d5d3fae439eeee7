"""The one place that locks orders: in primary-key order."""

from uuid import UUID

from apps.common.databases import require_atomic
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
