"""Appends the events that orders publish to the outbox of their database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from moneyed import Money

from apps.messaging.contracts import EventContract
from apps.messaging.outbox import Event, append
from apps.orders.enums import DATABASE, OrderStatus
from apps.orders.event_contracts import (
    CHECKOUT_TIMED_OUT,
    ORDER_APPROVED,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_DELIVERED,
    ORDER_PLACED,
    ORDER_RETURNED,
    ORDER_SHIPPED,
    CheckoutTimedOut,
    OrderPlaced,
    OrderReturned,
    PlacedLine,
    ReturnedLine,
)

MOVED = {OrderStatus.CONFIRMED: ORDER_CONFIRMED, OrderStatus.DELIVERED: ORDER_DELIVERED}


class Moved(NamedTuple):
    """An order that moved: its version since, and what every event of it tells."""

    order_id: UUID
    version: int
    customer_id: UUID
    amount: Decimal
    currency: str
    placed_at: datetime

    # What an UPDATE of orders_order returns of each.
    COLUMNS = "orders_order.id, orders_order.version, customer_id, total, currency, placed_at"

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)

    def event(self, contract: EventContract, correlation_id: str, *more: Any) -> Event:
        payload = contract.payload(
            self.order_id, self.customer_id, self.total, self.placed_at, *more
        )
        return Event(contract, self.order_id, self.version, payload, correlation_id)


def order_placed(
    order_id: UUID,
    *,
    customer_id: UUID,
    saga_id: UUID,
    draft,
    country: str,
    payment_method: str,
    held: bool,
    placed_at: datetime,
    correlation_id: str,
) -> None:
    """``order.placed``: who ordered what for how much."""
    lines = tuple(
        PlacedLine(offer.product_id, offer.sku, offer.name, price, quantity)
        for offer, price, quantity in zip(draft.offers, draft.prices, draft.quantities, strict=True)
    )
    currency, goods = draft.currency, draft.goods
    payload = OrderPlaced(
        *(order_id, customer_id, saga_id, currency),
        *(Money(one, currency) for one in (goods, draft.shipping, goods + draft.shipping)),
        *(country, payment_method, held, placed_at, lines),
    )
    append(DATABASE, [Event(ORDER_PLACED, order_id, 1, payload, correlation_id)])


def order_approved(moved: Moved, correlation_id: str) -> None:
    """``order.approved``, with the request that caused it."""
    append(DATABASE, [moved.event(ORDER_APPROVED, correlation_id)])


def orders_moved(
    to: OrderStatus, moved: Iterable[Moved], correlation_ids: Mapping[UUID, str]
) -> None:
    """``order.confirmed`` or ``.delivered`` for each, with the request that caused it."""
    contract = MOVED[to]
    append(DATABASE, [one.event(contract, correlation_ids[one.order_id]) for one in moved])


def orders_shipped(
    moved: Iterable[Moved], tracking: Mapping[UUID, str], correlation_ids: Mapping[UUID, str]
) -> None:
    """``order.shipped`` for each, with its tracking number."""
    append(
        DATABASE,
        [
            one.event(ORDER_SHIPPED, correlation_ids[one.order_id], tracking[one.order_id])
            for one in moved
        ],
    )


def orders_cancelled(
    cancelled: Iterable[tuple[Moved, str, str]], correlation_ids: Mapping[UUID, str]
) -> None:
    """``order.cancelled`` for each, with the reason and its payment status."""
    append(
        DATABASE,
        [
            one.event(ORDER_CANCELLED, correlation_ids[one.order_id], reason, payment_status)
            for one, reason, payment_status in cancelled
        ],
    )


def checkouts_timed_out(
    timed_out: Iterable[tuple[Moved, UUID]], correlation_ids: Mapping[UUID, str]
) -> None:
    """``checkout.timed_out`` for each order and the run of its checkout."""
    append(
        DATABASE,
        [
            Event(
                CHECKOUT_TIMED_OUT,
                one.order_id,
                one.version,
                CheckoutTimedOut(one.order_id, one.customer_id, saga_id, one.total, one.placed_at),
                correlation_ids[one.order_id],
            )
            for one, saga_id in timed_out
        ],
    )


def orders_returned(
    returned: Iterable[tuple[Moved, UUID, Decimal, Decimal, Sequence[ReturnedLine]]],
    correlation_ids: Mapping[UUID, str],
) -> None:
    """``order.returned`` for each (order, return, refund, refunded with all before, lines) and the
    request that caused the return. A refund without goods has no lines."""
    append(
        DATABASE,
        [
            Event(
                ORDER_RETURNED,
                one.order_id,
                one.version,
                OrderReturned(
                    *(one.order_id, one.customer_id, return_id),
                    *(Money(amount, one.currency), Money(returned, one.currency)),
                    *(one.placed_at, tuple(lines)),
                ),
                correlation_ids[return_id],
            )
            for one, return_id, amount, returned, lines in returned
        ],
    )
