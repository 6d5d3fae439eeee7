"""Builds the events that shipping publishes.

A shipment moves on only: how far it got is its version.
"""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from apps.messaging.contracts import EventContract
from apps.messaging.outbox import Event
from apps.shipping.contracts import ShipmentStatus
from apps.shipping.event_contracts import (
    SHIPMENT_CANCELLED,
    SHIPMENT_DELIVERED,
    SHIPMENT_DISPATCHED,
    SHIPMENT_FAILED,
    SHIPMENT_SCHEDULED,
    ShipmentFailed,
    ShipmentMoved,
)

NO_CAUSES: Mapping[UUID, str] = MappingProxyType({})
TOLD: Mapping[ShipmentStatus, tuple[EventContract, int]] = {
    ShipmentStatus.SCHEDULED: (SHIPMENT_SCHEDULED, 1),
    ShipmentStatus.FAILED: (SHIPMENT_FAILED, 1),
    ShipmentStatus.DISPATCHED: (SHIPMENT_DISPATCHED, 2),
    ShipmentStatus.DELIVERED: (SHIPMENT_DELIVERED, 3),
    ShipmentStatus.CANCELLED: (SHIPMENT_CANCELLED, 4),
}


def shipment_moved(
    status: ShipmentStatus,
    *,
    order_id: UUID,
    shipment_id: UUID,
    tracking_number: str,
    correlation_id: str,
) -> Event:
    """What a shipment tells that is ``status`` now, unless that is failed."""
    contract, version = TOLD[status]
    payload = ShipmentMoved(order_id, shipment_id, tracking_number)
    return Event(contract, shipment_id, version, payload, correlation_id)


def shipment_failed(
    *, order_id: UUID, shipment_id: UUID, reason: str, country: str, correlation_id: str
) -> Event:
    """``shipment.failed``: why the order cannot be shipped."""
    contract, version = TOLD[ShipmentStatus.FAILED]
    payload = ShipmentFailed(order_id, shipment_id, reason, country)
    return Event(contract, shipment_id, version, payload, correlation_id)
