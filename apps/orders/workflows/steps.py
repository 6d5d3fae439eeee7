"""What the sagas' steps do: calls of a batch → facades of the apps → outcomes."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from uuid import UUID

import orjson

from apps.catalog import facade as catalog
from apps.catalog.contracts import (
    DispatchStock,
    ReleaseStock,
    ReserveResult,
    ReserveStatus,
    ReserveStock,
    StockLine,
)
from apps.common.databases import fetch_all
from apps.orders.enums import DATABASE, FulfillmentStatus, Review
from apps.orders.services import moving
from apps.payments import facade as payments
from apps.payments.contracts import Operation, PaymentResult, PaymentStatus
from apps.sagas.contracts import Outcome, StepCall
from apps.sagas.definition import Participant
from apps.shipping import facade as shipping
from apps.shipping.contracts import ScheduleShipment, ShipmentStatus

NOT_GOING = (ShipmentStatus.CANCELLED, ShipmentStatus.FAILED)
_uuid = lru_cache(maxsize=4_096)(UUID)  # each step asks several times


def order_of(call: StepCall) -> UUID:
    """The order of a run: its sagas have its id for business key."""
    return _uuid(call.business_key)


def order_ids(calls: Sequence[StepCall]) -> list[UUID]:
    """The orders of a batch."""
    return [order_of(call) for call in calls]


def correlation_ids(calls: Sequence[StepCall]) -> dict[UUID, str]:
    """For each order of a batch the id of the request that started its saga."""
    return {order_of(call): call.correlation_id for call in calls}


# --- money -------------------------------------------------------------------------------------
def payment_step(operation: Operation) -> Participant:
    """One gateway operation for a batch of orders, shown on their payment axis."""
    return payments.gateway_step(operation, _show_payments)


def _show_payments(calls: Sequence[StepCall], results: Sequence[PaymentResult]) -> None:
    moving.orders_set_payment(
        {
            one.order_id: one.state.value
            for one in results
            if one.status in (PaymentStatus.SUCCEEDED, PaymentStatus.DECLINED)
        }
    )


# --- stock -------------------------------------------------------------------------------------
def reserve_stock(calls: Sequence[StepCall]) -> list[Outcome]:
    """Reserves all lines of each order, or none of them."""
    lines = _lines(order_ids(calls))
    results = catalog.reserve_stock(
        [ReserveStock(call.key, order_of(call), tuple(lines[order_of(call)])) for call in calls],
        correlation_ids(calls),
    )
    by_key = {result.key: result for result in results}
    return [_reserve_outcome(by_key[call.key]) for call in calls]


def _lines(ids: list[UUID]) -> dict[UUID, list[StockLine]]:
    lines: dict[UUID, list[StockLine]] = {order_id: [] for order_id in ids}
    rows = fetch_all(
        DATABASE,
        "SELECT order_id, product_id, quantity FROM orders_orderline"
        " WHERE order_id = ANY(%s) ORDER BY order_id, position",
        [ids],
    )
    for order_id, product_id, quantity in rows:
        lines[order_id].append(StockLine(product_id, quantity))
    return lines


def _reserve_outcome(result: ReserveResult) -> Outcome:
    if result.status is ReserveStatus.RESERVED:
        return Outcome.success()
    if result.status is ReserveStatus.CANCELLED:
        return Outcome.rejected("cancelled", "released before it was reserved")
    short = result.short[0]
    return Outcome.rejected(
        "out_of_stock",
        f"{len(result.short)} products short, e.g. {short.product_id}:"
        f" {short.requested} wanted, {short.available} available",
    )


def release_stock(forward_key: Callable[[StepCall], str]) -> Participant:
    """Releases what was reserved under ``forward_key`` of each call."""

    def execute(calls: Sequence[StepCall]) -> list[Outcome]:
        """Lets go what the order's checkout reserved; if nothing was, it never will be."""
        catalog.release_stock(
            [ReleaseStock(call.key, forward_key(call), order_of(call)) for call in calls],
            correlation_ids(calls),
        )
        return [Outcome.success() for _ in calls]

    return Participant(execute)


def sell_stock(calls: Sequence[StepCall]) -> list[Outcome]:
    """What was reserved for the orders has left the house."""
    catalog.dispatch_stock([DispatchStock(call.key, order_of(call)) for call in calls])
    return [Outcome.success() for _ in calls]


# --- shipments ---------------------------------------------------------------------------------
def schedule_shipment(calls: Sequence[StepCall]) -> list[Outcome]:
    """Schedules each order's shipment to the address it was placed with; an order that is held
    for review waits here, before its money is taken."""
    rows = fetch_all(
        DATABASE,
        "SELECT id, review, address::text FROM orders_order WHERE id = ANY(%s)",
        [order_ids(calls)],
    )
    addresses = {order_id: address for order_id, review, address in rows if review != Review.HELD}
    statuses = shipping.schedule(
        [ScheduleShipment(one, orjson.loads(address)) for one, address in addresses.items()],
        correlation_ids(calls),
    )
    scheduled = [one for one, status in statuses.items() if status not in NOT_GOING]
    moving.orders_set_fulfillment(scheduled, FulfillmentStatus.SCHEDULED)
    return [_schedule_outcome(statuses.get(order_id)) for order_id in order_ids(calls)]


def _schedule_outcome(status: ShipmentStatus | None) -> Outcome:
    if status is None:
        return Outcome.waiting("held_for_review")
    if status is ShipmentStatus.CANCELLED:
        return Outcome.rejected("shipment_cancelled")
    if status is ShipmentStatus.FAILED:
        return Outcome.rejected("country_not_served", "we do not ship to the order's country")
    return Outcome.success()


def cancel_shipment(calls: Sequence[StepCall]) -> list[Outcome]:
    """Cancels each order's shipment; one that has left cannot be called back."""
    statuses = shipping.cancel(order_ids(calls), correlation_ids(calls))
    return [
        Outcome.rejected("already_dispatched", "the parcel has left the house")
        if statuses.get(one) in (ShipmentStatus.DISPATCHED, ShipmentStatus.DELIVERED)
        else Outcome.success()
        for one in order_ids(calls)
    ]


# --- the order itself --------------------------------------------------------------------------
def confirm_order(calls: Sequence[StepCall]) -> list[Outcome]:
    """pending → confirmed."""
    moving.orders_confirm(correlation_ids(calls))
    return [Outcome.success() for _ in calls]


def tell_timed_out(calls: Sequence[StepCall]) -> None:
    """The orders' checkouts were not done by their deadline."""
    runs = {order_of(call): call.run_id for call in calls}
    moving.checkouts_time_out(runs, correlation_ids(calls))


def cancel_order(reason: Callable[[StepCall], str]) -> Participant:
    """pending or confirmed → cancelled, for ``reason`` of each call."""

    def execute(calls: Sequence[StepCall]) -> list[Outcome]:
        """Marks the order as cancelled, with the reason."""
        reasons = {order_of(call): reason(call) for call in calls}
        moving.orders_cancel(reasons, correlation_ids(calls))
        return [Outcome.success() for _ in calls]

    return Participant(execute, local=True)
