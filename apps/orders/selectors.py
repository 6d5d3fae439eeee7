"""Reads of orders."""

from dataclasses import fields
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from moneyed import Money

from apps.common.databases import fetch_one
from apps.orders.contracts import OrderLineView, OrderView, ReturnLineView, ReturnView
from apps.orders.enums import DATABASE
from apps.orders.models import Order, OrderReturn
from apps.orders.services.return_moves import read_books
from apps.orders.services.return_rules import Books
from apps.orders.timeline import order_timeline
from apps.payments import facade as payments
from apps.shipping import facade as shipping


def orders_of(customer_id: UUID) -> QuerySet[Order]:
    """A customer's orders with their lines."""
    return Order.objects.filter(customer_id=customer_id).prefetch_related("lines")


def all_orders() -> QuerySet[Order]:
    """Everybody's orders with their lines, for staff."""
    return Order.objects.prefetch_related("lines")


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
        review=order.review,
        version=order.version,
        goods_total=Money(order.goods_total, currency),
        shipping_total=Money(order.shipping_total, currency),
        total=Money(order.total, currency),
        returned_total=Money(order.returned_total, currency),
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


def order_detail(order: Order) -> dict[str, Any]:
    """The order's view with its ``payments``, ``shipments``, ``returns`` and ``timeline``; at most
    thirteen queries."""
    view = order_view(order)
    shipment = shipping.shipments([order.id]).get(order.id)
    return {field.name: getattr(view, field.name) for field in fields(view)} | {
        "payments": payments.ledger(order.id),
        "shipments": [shipment] if shipment else [],
        "returns": [return_view(one) for one in all_returns().filter(order=order)],
        "timeline": order_timeline(order),
    }


def all_returns() -> QuerySet[OrderReturn]:
    """Everybody's returns with their lines, newest first."""
    returns = OrderReturn.objects.select_related("order").order_by("-created_at", "-id")
    return returns.prefetch_related("lines__order_line")


def return_view(one: OrderReturn) -> ReturnView:
    """The return as its owner and staff see it; reads its order and lines."""
    currency = one.order.currency
    lines = sorted(one.lines.all(), key=lambda line: (line.order_line.position, not line.restock))
    return ReturnView(
        one.id,
        one.order_id,
        one.status,
        one.version,
        one.reason,
        one.refusal,
        Money(one.goods_total, currency),
        Money(one.amount, currency),
        one.created_at,
        one.ended_at,
        one.saga_id,
        tuple(
            ReturnLineView(
                line.order_line.position,
                line.order_line.product_id,
                line.order_line.sku,
                line.order_line.name,
                Money(line.order_line.unit_price, currency),
                line.quantity,
                line.restock,
            )
            for line in lines
        ),
    )


def returnable(order: Order) -> Books:
    """What of the order may still come back. Not locked: the command decides again."""
    return read_books({order.pk: order})[order.pk]


def order_behind(key: UUID) -> tuple[UUID | None, UUID | None]:
    """The order that ``key`` is, or whose return it is, and its customer; Nones without one."""
    row = fetch_one(
        DATABASE,
        """
        SELECT id, customer_id FROM orders_order WHERE id = %s
        UNION ALL
        SELECT o.id, o.customer_id
        FROM orders_orderreturn r JOIN orders_order o ON o.id = r.order_id WHERE r.id = %s
        """,
        [key, key],
    )
    return row or (None, None)
