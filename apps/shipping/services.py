"""Writes of shipments: set SQL inside the caller's transaction on ``orders``, with the events
that tell of them. ``causes``: order → the id of the request behind it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
from django.conf import settings

from apps.common.databases import fetch_all, require_atomic
from apps.common.ids import new_id
from apps.messaging.outbox import Event, append, append_with
from apps.shipping.contracts import ScheduleShipment, ShipmentStatus
from apps.shipping.events import NO_CAUSES, shipment_failed, shipment_moved
from apps.shipping.models import DATABASE

NOT_SERVED = "country_not_served"


def tracking_number(shipment_id: UUID) -> str:
    """Our own number: ``HF``, then the shipment's moment and 48 random bits in hexadecimal digits.

    The moment stands first, so that the newest stand together in the index.
    """
    return f"HF{shipment_id.hex[:12]}{shipment_id.hex[-12:]}".upper()


def shipments_schedule(
    commands: Sequence[ScheduleShipment], causes: Mapping[UUID, str] = NO_CAUSES
) -> dict[UUID, str]:
    """Schedules one shipment for each order; returns the status each order's shipment has now.

    Where we do not ship to it has failed for good. An order whose shipment exists keeps it, also a
    cancelled one.
    """
    require_atomic(DATABASE)
    if not commands:
        return {}
    ids = [new_id() for _ in commands]
    refusals = [_refusal(one) for one in commands]
    statuses = [ShipmentStatus.FAILED if why else ShipmentStatus.SCHEDULED for why in refusals]
    facts = zip(ids, commands, refusals, strict=True)
    inserted = append_with(
        DATABASE,
        _SCHEDULE,
        [
            ids,
            [one.order_id for one in commands],
            [status.value for status in statuses],
            [tracking_number(one) for one in ids],
            [orjson.dumps(one.address).decode() for one in commands],
            refusals,
        ],
        {str(one): _scheduled(one, command, why, causes) for one, command, why in facts},
    )
    orders = [one.order_id for one in commands]
    if len(inserted) == len(ids):
        return {one: status.value for one, status in zip(orders, statuses, strict=True)}
    return _statuses(orders)


_SCHEDULE = """
    INSERT INTO shipping_shipment (id, order_id, status, tracking_number, address, failure)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::jsonb[], %s::text[])
    ON CONFLICT (order_id) DO NOTHING RETURNING id::text, 1::bigint
"""


def _refusal(command: ScheduleShipment) -> str:
    served = settings.SHIPPING_COUNTRIES
    return NOT_SERVED if served and command.address.get("country") not in served else ""


def _scheduled(
    shipment_id: UUID, command: ScheduleShipment, refusal: str, causes: Mapping[UUID, str]
) -> Event:
    order_id, cause = command.order_id, causes.get(command.order_id, "")
    if refusal:
        return shipment_failed(
            order_id=order_id,
            shipment_id=shipment_id,
            reason=refusal,
            country=command.address.get("country", ""),
            correlation_id=cause,
        )
    return shipment_moved(
        ShipmentStatus.SCHEDULED,
        order_id=order_id,
        shipment_id=shipment_id,
        tracking_number=tracking_number(shipment_id),
        correlation_id=cause,
    )


def _statuses(order_ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = fetch_all(
        DATABASE,
        "SELECT order_id, status FROM shipping_shipment WHERE order_id = ANY(%s)",
        [list(order_ids)],
    )
    return dict(rows)


def shipments_cancel(
    order_ids: Sequence[UUID], causes: Mapping[UUID, str] = NO_CAUSES
) -> dict[UUID, str]:
    """Cancels what has not left; returns the status of each order's shipment, if it has one."""
    cancelled = shipments_advance(
        order_ids, before=ShipmentStatus.SCHEDULED, to=ShipmentStatus.CANCELLED, causes=causes
    )
    rest = [one for one in order_ids if one not in cancelled]
    statuses = dict.fromkeys(cancelled, ShipmentStatus.CANCELLED.value)
    return statuses | _statuses(rest) if rest else statuses


def shipments_advance(
    order_ids: Sequence[UUID],
    *,
    before: ShipmentStatus,
    to: ShipmentStatus,
    causes: Mapping[UUID, str] = NO_CAUSES,
) -> dict[UUID, str]:
    """Moves the orders' shipments from ``before`` to ``to``; returns the orders whose moved, with
    their tracking numbers."""
    require_atomic(DATABASE)
    rows = fetch_all(
        DATABASE,
        f"UPDATE shipping_shipment SET status = %s, {to.value}_at = clock_timestamp()"
        " WHERE order_id = ANY(%s) AND status = %s RETURNING order_id, id, tracking_number",
        [to.value, list(order_ids), before.value],
    )
    append(
        DATABASE,
        [
            shipment_moved(
                to,
                order_id=order_id,
                shipment_id=shipment_id,
                tracking_number=number,
                correlation_id=causes.get(order_id, ""),
            )
            for order_id, shipment_id, number in rows
        ],
    )
    return {order_id: number for order_id, _, number in rows}
