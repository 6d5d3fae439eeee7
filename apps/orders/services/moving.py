"""Moves of orders along their axes: guarded set SQL in the caller's transaction."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from apps.common.databases import execute, fetch_all, require_atomic
from apps.orders import events
from apps.orders.enums import DATABASE, FulfillmentStatus, OrderStatus, PaymentStatus


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
        """
        UPDATE orders_order SET status = 'confirmed', version = version + 1,
            updated_at = clock_timestamp()
        WHERE id = ANY(%s) AND status = 'pending' RETURNING id, version
        """,
        [list(correlation_ids)],
    )
    events.orders_moved(OrderStatus.CONFIRMED, moved, correlation_ids)


def orders_cancel(reasons: Mapping[UUID, str], correlation_ids: Mapping[UUID, str]) -> None:
    """pending or confirmed → cancelled with its reason, with the event. What was never scheduled
    stays ``not_fulfilled``."""
    require_atomic(DATABASE)
    moved = fetch_all(
        DATABASE,
        """
        UPDATE orders_order SET status = 'cancelled', cancel_reason = new.reason,
            fulfillment_status = CASE fulfillment_status WHEN 'not_fulfilled'
                THEN 'not_fulfilled' ELSE 'cancelled' END,
            version = version + 1, updated_at = clock_timestamp()
        FROM unnest(%s::uuid[], %s::text[]) AS new(id, reason)
        WHERE orders_order.id = new.id AND status IN ('pending', 'confirmed')
        RETURNING orders_order.id, version, new.reason
        """,
        [list(reasons), [reason[:60] for reason in reasons.values()]],
    )
    events.orders_cancelled(moved, correlation_ids)


def order_approve(order_id: UUID) -> int:
    """held → approved; the order's new version."""
    require_atomic(DATABASE)
    [(version,)] = fetch_all(
        DATABASE,
        """
        UPDATE orders_order SET review = 'approved', version = version + 1,
            updated_at = clock_timestamp()
        WHERE id = %s AND review = 'held' RETURNING version
        """,
        [order_id],
    )
    return version


def orders_advance(
    correlation_ids: Mapping[UUID, str], *, before: OrderStatus, to: OrderStatus
) -> dict[UUID, int]:
    """Those of the orders that are ``before`` to shipped or delivered, for each the request that
    caused it; the new versions of those that moved."""
    require_atomic(DATABASE)
    moved = fetch_all(
        DATABASE,
        """
        UPDATE orders_order SET status = %s, fulfillment_status = %s, version = version + 1,
            updated_at = clock_timestamp()
        WHERE id = ANY(%s) AND status = %s RETURNING id, version
        """,
        [to.value, to.value, list(correlation_ids), before.value],
    )
    events.orders_moved(to, moved, correlation_ids)
    return dict(moved)
