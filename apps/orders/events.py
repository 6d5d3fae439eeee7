"""The events that orders publish, appended to the outbox of their database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from moneyed import Money

from apps.common.contracts import to_builtins
from apps.messaging.outbox import Event, append
from apps.orders.enums import DATABASE


def _aggregate(order_id: UUID) -> str:
    return f"order:{order_id}"


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
    payload = {
        "order_id": str(order_id),
        "customer_id": str(customer_id),
        "total": to_builtins(total),
        "placed_at": placed_at.isoformat(),
        "lines": [
            {
                "product_id": str(offer.product_id),
                "sku": offer.sku,
                "name": offer.name,
                "unit_price": str(price),
                "quantity": quantity,
            }
            for offer, price, quantity in zip(
                draft.offers, draft.prices, draft.quantities, strict=True
            )
        ],
    }
    headers = {"correlation_id": correlation_id}
    append(DATABASE, [Event("order.placed", _aggregate(order_id), 1, payload, headers=headers)])


def orders_returned(
    returned: Sequence[tuple[UUID, int, UUID, Money, Sequence[Mapping]]],
    correlation_ids: Mapping[UUID, str],
) -> None:
    """``order.returned`` for each (order, its version since, return, refund, lines) and the
    request that caused the return. A refund without goods has no lines."""
    append(
        DATABASE,
        [
            Event(
                "order.returned",
                _aggregate(order_id),
                version,
                {
                    "order_id": str(order_id),
                    "return_id": str(return_id),
                    "amount": to_builtins(amount),
                    "lines": list(lines),
                },
                headers={"correlation_id": correlation_ids[return_id]},
            )
            for order_id, version, return_id, amount, lines in returned
        ],
    )


def orders_moved(
    topic: str,
    moved: Sequence[tuple[UUID, int]],
    correlation_ids: Mapping[UUID, str],
    **payload: str,
) -> None:
    """``topic`` (order.confirmed, .cancelled, .shipped, .delivered) for orders that moved, each
    with the version it has since and the request that caused it."""
    append(
        DATABASE,
        [
            Event(
                topic,
                _aggregate(order_id),
                version,
                {"order_id": str(order_id), **payload},
                headers={"correlation_id": correlation_ids[order_id]},
            )
            for order_id, version in moved
        ],
    )
