"""What other apps may do with shipments. Writes work in the caller's transaction on ``orders``
and are idempotent by order: an order has one shipment for life. Each is told by an event;
``correlation_ids``: order → the id of the request that caused it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from apps.shipping import checkout, selectors, services
from apps.shipping.contracts import ScheduleShipment, Shipment, ShipmentStatus
from apps.shipping.events import NO_CAUSES


def schedule(
    commands: Sequence[ScheduleShipment], correlation_ids: Mapping[UUID, str] = NO_CAUSES
) -> dict[UUID, ShipmentStatus]:
    """Schedules; the answer is where each order's shipment stands: ``cancelled`` stays so, and
    ``failed`` says that we do not ship there (setting ``SHIPPING_COUNTRIES``)."""
    return _statuses(services.shipments_schedule(commands, correlation_ids))


def expect(command: ScheduleShipment, *, held: bool) -> None:
    """Takes down where a new order goes whose choreographed checkout will ask for its shipment;
    one that is ``held`` waits until it is approved."""
    checkout.shipment_expect(command, held=held)


def cancel(
    order_ids: Sequence[UUID], correlation_ids: Mapping[UUID, str] = NO_CAUSES
) -> dict[UUID, ShipmentStatus]:
    """Cancels what has not left; the answer is where each shipment stands now."""
    return _statuses(services.shipments_cancel(order_ids, correlation_ids))


def dispatch(
    order_ids: Sequence[UUID], correlation_ids: Mapping[UUID, str] = NO_CAUSES
) -> dict[UUID, str]:
    """The parcels left the house; the orders whose parcel was scheduled until now, with its
    tracking number."""
    return services.shipments_advance(
        order_ids,
        before=ShipmentStatus.SCHEDULED,
        to=ShipmentStatus.DISPATCHED,
        causes=correlation_ids,
    )


def deliver(
    order_ids: Sequence[UUID], correlation_ids: Mapping[UUID, str] = NO_CAUSES
) -> dict[UUID, str]:
    """The parcels arrived; the orders whose parcel was under way until now, as above."""
    return services.shipments_advance(
        order_ids,
        before=ShipmentStatus.DISPATCHED,
        to=ShipmentStatus.DELIVERED,
        causes=correlation_ids,
    )


def shipments(order_ids: Sequence[UUID]) -> dict[UUID, Shipment]:
    """The shipment of each order that has one."""
    return selectors.shipments_of(order_ids)


def _statuses(rows: dict[UUID, str]) -> dict[UUID, ShipmentStatus]:
    return {order_id: ShipmentStatus(status) for order_id, status in rows.items()}
