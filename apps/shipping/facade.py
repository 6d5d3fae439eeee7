"""What other apps may do with shipments. Writes work in the caller's transaction on ``orders``
and are idempotent by order: an order has one shipment for life."""

from collections.abc import Sequence
from uuid import UUID

from apps.shipping import selectors, services
from apps.shipping.contracts import ScheduleShipment, Shipment, ShipmentStatus


def schedule(commands: Sequence[ScheduleShipment]) -> dict[UUID, ShipmentStatus]:
    """Schedules; the answer is where each order's shipment stands (``cancelled`` stays so)."""
    return _statuses(services.shipments_schedule(commands))


def cancel(order_ids: Sequence[UUID]) -> dict[UUID, ShipmentStatus]:
    """Cancels what has not left; the answer is where each shipment stands now."""
    return _statuses(services.shipments_cancel(order_ids))


def dispatch(order_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The parcels left the house; the orders whose parcel was scheduled until now, with its
    tracking number."""
    return services.shipments_advance(
        order_ids, before=ShipmentStatus.SCHEDULED, to=ShipmentStatus.DISPATCHED
    )


def deliver(order_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The parcels arrived; the orders whose parcel was under way until now, as above."""
    return services.shipments_advance(
        order_ids, before=ShipmentStatus.DISPATCHED, to=ShipmentStatus.DELIVERED
    )


def shipments(order_ids: Sequence[UUID]) -> dict[UUID, Shipment]:
    """The shipment of each order that has one."""
    return selectors.shipments_of(order_ids)


def _statuses(rows: dict[UUID, str]) -> dict[UUID, ShipmentStatus]:
    return {order_id: ShipmentStatus(status) for order_id, status in rows.items()}
