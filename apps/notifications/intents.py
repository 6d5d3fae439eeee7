"""What the notifications' consumer group does with events: copies of what mails are made of, and
an intent for each mail. A worker sends them (see ``mailer``).

Events of customers and orders overtake each other, so nothing is looked up here: what a mail needs
is put together when it is claimed.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from apps.common.contracts import encode, to_builtins
from apps.common.databases import execute, require_atomic
from apps.customers.event_contracts import CUSTOMER_CREATED, CUSTOMER_DELETED
from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup
from apps.notifications.enums import DATABASE, Kind
from apps.orders.event_contracts import (
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_PLACED,
    ORDER_RETURNED,
    ORDER_SHIPPED,
)

KINDS = {
    CUSTOMER_CREATED.topic: Kind.WELCOME,
    ORDER_CONFIRMED.topic: Kind.ORDER_CONFIRMED,
    ORDER_SHIPPED.topic: Kind.ORDER_SHIPPED,
    ORDER_CANCELLED.topic: Kind.ORDER_CANCELLED,
    ORDER_RETURNED.topic: Kind.ORDER_REFUNDED,
}
OF_ORDERS = (ORDER_PLACED, ORDER_CONFIRMED, ORDER_SHIPPED, ORDER_CANCELLED, ORDER_RETURNED)


def handle(events: Sequence[Received]) -> None:
    """Notes ``events`` inside the open transaction; see ``ConsumerGroup.handle``."""
    require_atomic(DATABASE)
    recipients_note([event for event in events if event.topic.startswith("customer.")])
    orders_note([event for event in events if event.topic == ORDER_PLACED.topic])
    emails_intend([event for event in events if _asks_for_mail(event)])


def recipients_note(events: Sequence[Received]) -> None:
    """Brings the copies of customers up to the newest of their ``events``."""
    newest: dict[UUID, Received] = {}
    for event in events:
        known = newest.get(event.payload.customer_id)
        if known is None or known.aggregate_version < event.aggregate_version:
            newest[event.payload.customer_id] = event
    if not newest:
        return
    execute(
        DATABASE,
        """
        INSERT INTO notifications_recipient AS known (customer_id, email, name, gone, version)
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::boolean[], %s::bigint[])
        ON CONFLICT (customer_id) DO UPDATE SET email = excluded.email, name = excluded.name,
            gone = excluded.gone, version = excluded.version
        WHERE known.version < excluded.version
        """,
        _columns(
            sorted(newest.values(), key=lambda event: event.payload.customer_id),
            lambda event: event.payload.customer_id,
            lambda event: event.payload.email,
            lambda event: event.payload.name,
            lambda event: event.topic == CUSTOMER_DELETED.topic,
            lambda event: event.aggregate_version,
        ),
    )


def orders_note(events: Sequence[Received]) -> None:
    """Keeps what was ordered; an order is placed once and that does not change."""
    if not events:
        return
    execute(
        DATABASE,
        """
        INSERT INTO notifications_orderfacts
            (order_id, customer_id, placed_at, currency, goods_total, shipping_total, total, lines)
        SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[],
                             %s::numeric[], %s::numeric[], %s::numeric[], %s::jsonb[])
        ON CONFLICT DO NOTHING
        """,
        _columns(
            sorted(events, key=lambda event: event.payload.order_id),
            lambda event: event.payload.order_id,
            lambda event: event.payload.customer_id,
            lambda event: event.payload.placed_at,
            lambda event: event.payload.currency,
            lambda event: event.payload.goods_total.amount,
            lambda event: event.payload.shipping_total.amount,
            lambda event: event.payload.total.amount,
            lambda event: encode(event.payload.lines).decode(),
        ),
    )


def emails_intend(events: Sequence[Received]) -> None:
    """A pending mail for each of ``events``, once."""
    if not events:
        return
    execute(
        DATABASE,
        """
        INSERT INTO notifications_email
            (event_id, kind, customer_id, order_id, facts, occurred_at, correlation_id)
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::jsonb[],
                             %s::timestamptz[], %s::text[])
        ON CONFLICT DO NOTHING
        """,
        _columns(
            events,
            lambda event: event.event_id,
            lambda event: KINDS[event.topic].value,
            lambda event: event.payload.customer_id,
            lambda event: getattr(event.payload, "order_id", None),
            lambda event: encode(to_builtins(event.payload)).decode(),
            lambda event: event.occurred_at,
            lambda event: event.headers.get("correlation_id", "")[:64],
        ),
    )


def _asks_for_mail(event: Received) -> bool:
    """Who was added by staff or an import has not asked for anything."""
    if event.topic == CUSTOMER_CREATED.topic:
        return event.payload.signed_up
    return event.topic in KINDS


def _columns(events: Sequence[Received], *values: Callable[[Received], Any]) -> list[list[Any]]:
    return [[value(event) for event in events] for value in values]


GROUP = ConsumerGroup(
    name="notifications",
    alias=DATABASE,
    topics=("customer.*", *(contract.topic for contract in OF_ORDERS)),
    handle=handle,
)
