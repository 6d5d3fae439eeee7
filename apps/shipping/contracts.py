"""What other apps may know of shipments."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class ShipmentStatus(StrEnum):
    SCHEDULED = "scheduled"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    FAILED = "failed"  # we do not ship there


@dataclass(frozen=True, slots=True)
class ScheduleShipment:
    """Schedule the one shipment of an order; ``address`` is a snapshot."""

    order_id: UUID
    address: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shipment:
    """``failure`` is why it cannot be shipped, a code; found out at ``scheduled_at``."""

    shipment_id: UUID
    order_id: UUID
    status: ShipmentStatus
    tracking_number: str
    scheduled_at: datetime | None = None
    dispatched_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    failure: str = ""
