"""Applies events to the read model, many at once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from apps.common.databases import execute, require_atomic
from apps.messaging.contracts import Received
from apps.reporting.enums import DATABASE, PROJECTION, SOLD
from apps.reporting.projecting import name_rows, order_rows, sales_rows
from apps.reporting.projecting.batch import Batch, folded

LOCK = 7_006_001  # of whoever writes the read model, or puts another one in its place


def project(events: Sequence[Received]) -> None:
    """Applies ``events`` in the caller's transaction, alone: who else applies some waits.

    The cells of the daily sales are shared by all orders of a day, so two writers would wait for
    each other there anyhow; one lock in front spares deadlocks and reads that are out of date.
    """
    require_atomic(DATABASE)
    execute(DATABASE, "SELECT pg_advisory_xact_lock(%s)", [LOCK])
    batch = apply(events)
    _note(len(events), max(event.occurred_at for event in events), batch.heartbeat)


def apply(events: Sequence[Received]) -> Batch:
    """Writes what ``events`` say to the tables that come first in the search path."""
    batch = folded(events)
    before = order_rows.states(batch.orders) if batch.orders else {}
    moved = name_rows.moving(batch.products.values())
    # Sales that may look otherwise afterwards: they are taken out and put in again.
    unsettled = sales_rows.sold_with(moved) | _unsettled(batch, before)
    sales_rows.add(unsettled, -1)
    name_rows.put_categories(batch.categories.values())
    name_rows.put_customers(batch.customers.values())
    name_rows.put_products(batch.products.values(), moved=moved)
    sold = unsettled.difference(batch.orders)
    if batch.orders:
        sold |= _put_orders(batch, before, unsettled)
    sales_rows.add(sold, 1)
    if sold or unsettled:
        sales_rows.drop_empty()
    return batch


def _unsettled(batch: Batch, before: dict[UUID, order_rows.State]) -> set[UUID]:
    touched = {row.order_id for row in batch.refunds.values()} | {
        row.order_id
        for row in batch.orders.values()
        if row.status_version and row.status not in SOLD
    }
    return {order_id for order_id in touched if order_id in before and before[order_id].sold}


def _put_orders(
    batch: Batch, before: dict[UUID, order_rows.State], unsettled: set[UUID]
) -> set[UUID]:
    """The orders whose sales are to be added since."""
    written = order_rows.put(batch.orders.values())
    new = [one for one in batch.lines if one not in before or not before[one].placed]
    order_rows.put_lines(batch.lines_of(new))
    order_rows.put_refunds(batch.refunds.values())
    sold = {one for one in written if one not in before or not before[one].sold}
    again = unsettled.intersection(batch.orders)
    if again:
        now = order_rows.states(again)
        sold |= {one for one in again if now[one].sold}
    return sold


def _note(events: int, newest: datetime, heartbeat: datetime | None) -> None:
    execute(
        DATABASE,
        """
        INSERT INTO reporting_projection AS t (name, applied, last_event_at, heartbeat_at)
        VALUES (%s, %s, %s, %s)
        ON CONFLICT (name) DO UPDATE
            SET applied = t.applied + excluded.applied,
                last_event_at = greatest(t.last_event_at, excluded.last_event_at),
                heartbeat_at = greatest(t.heartbeat_at, excluded.heartbeat_at),
                applied_at = clock_timestamp()
        """,
        [PROJECTION, events, newest, heartbeat],
    )
