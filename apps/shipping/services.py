"""Writes of shipments: set SQL inside the caller's transaction on ``orders``."""

from collections.abc import Sequence
from uuid import UUID

import orjson

from apps.common.databases import execute, fetch_all, require_atomic
from apps.common.ids import new_id
from apps.shipping.contracts import ScheduleShipment, ShipmentStatus
from apps.shipping.models import DATABASE


def tracking_number(shipment_id: UUID) -> str:
    """Our own number: ``HF``, then the shipment's moment and 48 random bits in hexadecimal digits.

    The moment stands first, so that the newest stand together in the index.
    """
    return f"HF{shipment_id.hex[:12]}{shipment_id.hex[-12:]}".upper()


def shipments_schedule(commands: Sequence[ScheduleShipment]) -> dict[UUID, str]:
    """Schedules one shipment for each order; returns the status each order's shipment has now.

    An order whose shipment exists keeps it, also a cancelled one.
    """
    require_atomic(DATABASE)
    ids = [new_id() for _ in commands]
    execute(
        DATABASE,
        """
        INSERT INTO shipping_shipment (id, order_id, status, tracking_number, address)
        SELECT id, order_id, 'scheduled', tracking_number, address
        FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::jsonb[])
            AS new(id, order_id, tracking_number, address)
        ON CONFLICT (order_id) DO NOTHING
        """,
        [
            ids,
            [command.order_id for command in commands],
            [tracking_number(one) for one in ids],
            [orjson.dumps(command.address).decode() for command in commands],
        ],
    )
    rows = fetch_all(
        DATABASE,
        "SELECT order_id, status FROM shipping_shipment WHERE order_id = ANY(%s)",
        [[command.order_id for command in commands]],
    )
    return dict(rows)


def shipments_cancel(order_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Cancels what has not left; returns the status of each order's shipment, if it has one."""
    require_atomic(DATABASE)
    execute(
        DATABASE,
        """
        UPDATE shipping_shipment SET status = 'cancelled', cancelled_at = clock_timestamp()
        WHERE order_id = ANY(%s) AND status = 'scheduled'
        """,
        [list(order_ids)],
    )
    rows = fetch_all(
        DATABASE,
        "SELECT order_id, status FROM shipping_shipment WHERE order_id = ANY(%s)",
        [list(order_ids)],
    )
    return dict(rows)


def shipments_advance(
    order_ids: Sequence[UUID], *, before: ShipmentStatus, to: ShipmentStatus
) -> dict[UUID, str]:
    """Moves the orders' shipments from ``before`` to ``to``; returns the orders whose moved, with
    their tracking numbers."""
    require_atomic(DATABASE)
    column = {ShipmentStatus.DISPATCHED: "dispatched_at", ShipmentStatus.DELIVERED: "delivered_at"}
    rows = fetch_all(
        DATABASE,
        f"UPDATE shipping_shipment SET status = %s, {column[to]} = clock_timestamp()"
        " WHERE order_id = ANY(%s) AND status = %s RETURNING order_id, tracking_number",
        [to.value, list(order_ids), before.value],
    )
    return dict(rows)
