"""Appends the events that orders publish to the outbox of their database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from moneyed import Money

from apps.messaging.contracts import EventContract
from apps.messaging.outbox import Event, append
from apps.orders.enums import DATABASE, OrderStatus
from apps.orders.event_contracts import (
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_DELIVERED,
    ORDER_PLACED,
    ORDER_RETURNED,
    ORDER_SHIPPED,
    OrderCancelled,
    OrderMoved,
    OrderPlaced,
    OrderReturned,
    PlacedLine,
    ReturnedLine,
)

MOVED = {
    OrderStatus.CONFIRMED: ORDER_CONFIRMED,
    OrderStatus.SHIPPED: ORDER_SHIPPED,
    OrderStatus.DELIVERED: ORDER_DELIVERED,
}


def order_placed(
    order_id: UUID,
    *,
    customer_id: UUID,
    total: Money,
    placed_at: datetime,
    draft,
    correlation_id: str,
) -> None:
    """``order.placed``: who ordered what for how much."""
    lines = tuple(
        PlacedLine(offer.product_id, offer.sku, offer.name, price, quantity)
        for offer, price, quantity in zip(draft.offers, draft.prices, draft.quantities, strict=True)
    )
    payload = OrderPlaced(order_id, customer_id, total, placed_at, lines)
    append(DATABASE, [Event(ORDER_PLACED, order_id, 1, payload, correlation_id)])


def orders_moved(
    to: OrderStatus, moved: Sequence[tuple[UUID, int]], correlation_ids: Mapping[UUID, str]
) -> None:
    """``order.confirmed``, ``.shipped`` or ``.delivered`` for orders that moved, each with the
    version it has since and the request that caused it."""
    contract: EventContract = MOVED[to]
    append(
        DATABASE,
        [
            Event(contract, order_id, version, OrderMoved(order_id), correlation_ids[order_id])
            for order_id, version in moved
        ],
    )


def orders_cancelled(
    cancelled: Sequence[tuple[UUID, int, str]], correlation_ids: Mapping[UUID, str]
) -> None:
    """``order.cancelled`` for each (order, its version since, reason)."""
    append(
        DATABASE,
        [
            Event(
                ORDER_CANCELLED,
                order_id,
                version,
                OrderCancelled(order_id, reason),
                correlation_ids[order_id],
            )
            for order_id, version, reason in cancelled
        ],
    )


def orders_returned(
    returned: Sequence[tuple[UUID, int, UUID, Money, Sequence[ReturnedLine]]],
    correlation_ids: Mapping[UUID, str],
) -> None:
    """``order.returned`` for each (order, its version since, return, refund, lines) and the
    request that caused the return. A refund without goods has no lines."""
    append(
        DATABASE,
        [
            Event(
                ORDER_RETURNED,
                order_id,
                version,
                OrderReturned(order_id, return_id, amount, tuple(lines)),
                correlation_ids[return_id],
            )
            for order_id, version, return_id, amount, lines in returned
        ],
    )
