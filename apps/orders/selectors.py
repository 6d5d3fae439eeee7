"""Reads of orders."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet
from moneyed import Money

from apps.common.databases import fetch_all
from apps.orders.contracts import OrderLineView, OrderView
from apps.orders.enums import DATABASE
from apps.orders.models import Order


def orders_of(customer_id: UUID) -> QuerySet[Order]:
    """A customer's orders with their lines."""
    return Order.objects.filter(customer_id=customer_id).prefetch_related("lines")


def order_view(order: Order) -> OrderView:
    """The order as its owner and staff see it; reads its lines."""
    currency = order.currency
    lines = sorted(order.lines.all(), key=lambda line: line.position)
    return OrderView(
        order_id=order.id,
        customer_id=order.customer_id,
        saga_id=order.saga_id,
        status=order.status,
        payment_status=order.payment_status,
        fulfillment_status=order.fulfillment_status,
        version=order.version,
        goods_total=Money(order.goods_total, currency),
        shipping_total=Money(order.shipping_total, currency),
        total=Money(order.total, currency),
        placed_at=order.placed_at,
        address=order.address,
        external_reference=order.external_reference,
        cancel_reason=order.cancel_reason,
        lines=tuple(
            OrderLineView(
                line.position,
                line.product_id,
                line.sku,
                line.name,
                Money(line.unit_price, currency),
                line.quantity,
                Money(line.unit_price * line.quantity, currency),
            )
            for line in lines
        ),
    )


def owners_of(order_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """order → customer."""
    rows = fetch_all(
        DATABASE, "SELECT id, customer_id FROM orders_order WHERE id = ANY(%s)", [list(order_ids)]
    )
    return dict(rows)
