"""The events that orders publish."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from moneyed import Money

from apps.messaging.contracts import EventContract


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line as it was sold; ``unit_price`` is in the order's currency."""

    product_id: UUID
    sku: str
    name: str
    unit_price: Decimal
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    order_id: UUID
    customer_id: UUID
    total: Money
    placed_at: datetime
    lines: tuple[PlacedLine, ...]


@dataclass(frozen=True, slots=True)
class OrderMoved:
    order_id: UUID


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    order_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    product_id: UUID
    sku: str
    quantity: int
    restocked: bool


@dataclass(frozen=True, slots=True)
class OrderReturned:
    """``amount`` was refunded; without ``lines`` no goods came back."""

    order_id: UUID
    return_id: UUID
    amount: Money
    lines: tuple[ReturnedLine, ...]


ORDER_PLACED = EventContract("order.placed", 1, OrderPlaced, "An order was accepted.")
ORDER_CONFIRMED = EventContract("order.confirmed", 1, OrderMoved, "It is paid and reserved.")
ORDER_SHIPPED = EventContract("order.shipped", 1, OrderMoved, "Its parcel left.")
ORDER_DELIVERED = EventContract("order.delivered", 1, OrderMoved, "Its parcel arrived.")
ORDER_CANCELLED = EventContract(
    "order.cancelled", 1, OrderCancelled, "It was cancelled, by whomever or for whatever reason."
)
ORDER_RETURNED = EventContract(
    "order.returned", 1, OrderReturned, "Goods of it came back, or money was given back."
)
CONTRACTS = (
    ORDER_PLACED,
    ORDER_CONFIRMED,
    ORDER_SHIPPED,
    ORDER_DELIVERED,
    ORDER_CANCELLED,
    ORDER_RETURNED,
)
