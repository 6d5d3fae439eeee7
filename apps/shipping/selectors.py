"""Reads of shipments."""

from collections.abc import Sequence
from uuid import UUID

from apps.shipping.contracts import Shipment as ShipmentView
from apps.shipping.contracts import ShipmentStatus
from apps.shipping.models import Shipment


def shipments_of(order_ids: Sequence[UUID]) -> dict[UUID, ShipmentView]:
    """The shipment of each order that has one."""
    return {
        row.order_id: ShipmentView(
            row.id,
            row.order_id,
            ShipmentStatus(row.status),
            row.tracking_number,
            row.scheduled_at,
            row.dispatched_at,
            row.delivered_at,
            row.cancelled_at,
            row.failure,
        )
        for row in Shipment.objects.filter(order_id__in=order_ids)
    }
