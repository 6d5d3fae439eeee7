"""The events that shipping publishes. A shipment's version is how far it got (see ``events``)."""

from dataclasses import dataclass
from uuid import UUID

from apps.messaging.contracts import EventContract


@dataclass(frozen=True, slots=True)
class ShipmentMoved:
    """An order's parcel.

    Attributes:
        order_id: Which order.
        shipment_id: Which parcel.
        tracking_number: The carrier's number of it.
    """

    order_id: UUID
    shipment_id: UUID
    tracking_number: str


@dataclass(frozen=True, slots=True)
class ShipmentFailed:
    """An order that cannot be shipped.

    Attributes:
        order_id: Which order.
        shipment_id: The parcel that it would have been.
        reason: A code, such as ``country_not_served``.
        country: Where it was to go, ISO 3166-1 alpha-2.
    """

    order_id: UUID
    shipment_id: UUID
    reason: str
    country: str


SHIPMENT_SCHEDULED = EventContract(
    "shipment.scheduled", 1, ShipmentMoved, "A parcel was planned for an order."
)
SHIPMENT_FAILED = EventContract(
    "shipment.failed", 1, ShipmentFailed, "An order cannot be shipped, for good."
)
SHIPMENT_DISPATCHED = EventContract(
    "shipment.dispatched", 1, ShipmentMoved, "A parcel left the house."
)
SHIPMENT_DELIVERED = EventContract("shipment.delivered", 1, ShipmentMoved, "A parcel arrived.")
SHIPMENT_CANCELLED = EventContract(
    "shipment.cancelled", 1, ShipmentMoved, "A parcel that had not left will not leave."
)
CONTRACTS = (
    SHIPMENT_SCHEDULED,
    SHIPMENT_FAILED,
    SHIPMENT_DISPATCHED,
    SHIPMENT_DELIVERED,
    SHIPMENT_CANCELLED,
)
