"""Moves of orders along their axes: guarded set SQL in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import starmap
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError, transaction

from apps.catalog import facade as catalog
from apps.common.databases import execute, fetch_all, require_atomic
from apps.orders import events
from apps.orders.enums import DATABASE, FulfillmentStatus, OrderStatus, PaymentStatus
from apps.orders.events import Moved

TOLD = Moved.COLUMNS
log = structlog.get_logger(__name__)


def orders_set_payment(states: Mapping[UUID, str]) -> None:
    """Sets the payment axis (order → ``PaymentStatus`` value) of those it differs for."""
    require_atomic(DATABASE)
    if not states:
        return
    execute(
        DATABASE,
        """
        UPDATE orders_order SET payment_status = new.status, version = version + 1,
            updated_at = clock_timestamp()
        FROM unnest(%s::uuid[], %s::text[]) AS new(id, status)
        WHERE orders_order.id = new.id AND payment_status <> new.status
        """,
        [list(states), [PaymentStatus(state).value for state in states.values()]],
    )


def orders_set_fulfillment(order_ids: Sequence[UUID], status: FulfillmentStatus) -> None:
    """Sets the fulfilment axis of those it differs for."""
    require_atomic(DATABASE)
    execute(
        DATABASE,
        """
        UPDATE orders_order SET fulfillment_status = %s, version = version + 1,
            updated_at = clock_timestamp()
        WHERE id = ANY(%s) AND fulfillment_status <> %s
        """,
        [status.value, list(order_ids), status.value],
    )


def orders_confirm(correlation_ids: Mapping[UUID, str]) -> None:
    """pending → confirmed, with the event; for each order the request that caused it."""
    require_atomic(DATABASE)
    moved = fetch_all(
        DATABASE,
        f"""
        UPDATE orders_order SET status = 'confirmed', version = version + 1,
            updated_at = clock_timestamp()
        WHERE id = ANY(%s) AND status = 'pending' RETURNING {TOLD}
        """,
        [list(correlation_ids)],
    )
    events.orders_moved(OrderStatus.CONFIRMED, starmap(Moved, moved), correlation_ids)


def orders_cancel(reasons: Mapping[UUID, str], correlation_ids: Mapping[UUID, str]) -> None:
    """pending or confirmed → cancelled with its reason, with the event. What was never scheduled
    stays ``not_fulfilled``."""
    require_atomic(DATABASE)
    moved = fetch_all(
        DATABASE,
        f"""
        UPDATE orders_order SET status = 'cancelled', cancel_reason = new.reason,
            fulfillment_status = CASE fulfillment_status WHEN 'not_fulfilled'
                THEN 'not_fulfilled' ELSE 'cancelled' END,
            version = version + 1, updated_at = clock_timestamp()
        FROM unnest(%s::uuid[], %s::text[]) AS new(id, reason)
        WHERE orders_order.id = new.id AND status IN ('pending', 'confirmed')
        RETURNING new.reason, payment_status, {TOLD}
        """,
        [list(reasons), [reason[:60] for reason in reasons.values()]],
    )
    cancelled = [(Moved(*order), why, payment) for why, payment, *order in moved]
    events.orders_cancelled(cancelled, correlation_ids)
    if cancelled:
        order_ids = [one.order_id for one, _, _ in cancelled]
        transaction.on_commit(partial(_end_holds, order_ids), using=DATABASE, robust=True)


def _end_holds(order_ids: Sequence[UUID]) -> None:
    """What the carts of these orders still hold, the clock would end too: this is only sooner."""
    try:
        catalog.end_holds(order_ids)
    except (DatabaseError, InterfaceError) as error:
        log.warning("order.holds_left_to_the_clock", error=str(error), orders=len(order_ids))


def order_approve(order_id: UUID, correlation_id: str) -> int:
    """held → approved, with the event; the order's new version."""
    require_atomic(DATABASE)
    [row] = fetch_all(
        DATABASE,
        f"""
        UPDATE orders_order SET review = 'approved', version = version + 1,
            updated_at = clock_timestamp()
        WHERE id = %s AND review = 'held' RETURNING {TOLD}
        """,
        [order_id],
    )
    approved = Moved(*row)
    events.order_approved(approved, correlation_id)
    return approved.version


def orders_ship(
    tracking: Mapping[UUID, str], correlation_ids: Mapping[UUID, str]
) -> dict[UUID, int]:
    """confirmed → shipped for those in ``correlation_ids``, for each the request that caused it,
    with the event, which tells the parcel's number; the new versions of those that moved."""
    moved = _advance(correlation_ids, before=OrderStatus.CONFIRMED, to=OrderStatus.SHIPPED)
    events.orders_shipped(moved, tracking, correlation_ids)
    return {one.order_id: one.version for one in moved}


def orders_deliver(correlation_ids: Mapping[UUID, str]) -> dict[UUID, int]:
    """shipped → delivered, with the event; the new versions of those that moved."""
    moved = _advance(correlation_ids, before=OrderStatus.SHIPPED, to=OrderStatus.DELIVERED)
    events.orders_moved(OrderStatus.DELIVERED, moved, correlation_ids)
    return {one.order_id: one.version for one in moved}


def _advance(order_ids: Iterable[UUID], *, before: OrderStatus, to: OrderStatus) -> list[Moved]:
    require_atomic(DATABASE)
    moved = fetch_all(
        DATABASE,
        f"""
        UPDATE orders_order SET status = %s, fulfillment_status = %s, version = version + 1,
            updated_at = clock_timestamp()
        WHERE id = ANY(%s) AND status = %s RETURNING {TOLD}
        """,
        [to.value, to.value, list(order_ids), before.value],
    )
    return list(starmap(Moved, moved))


def checkouts_time_out(runs: Mapping[UUID, UUID], correlation_ids: Mapping[UUID, str]) -> None:
    """Tells that the checkouts of these orders (order → run) were not done by their deadline."""
    require_atomic(DATABASE)
    moved = fetch_all(
        DATABASE,
        f"""
        UPDATE orders_order SET version = version + 1, updated_at = clock_timestamp()
        WHERE id = ANY(%s) RETURNING {TOLD}
        """,
        [list(runs)],
    )
    orders = [Moved(*row) for row in moved]
    events.checkouts_timed_out(((one, runs[one.order_id]) for one in orders), correlation_ids)
