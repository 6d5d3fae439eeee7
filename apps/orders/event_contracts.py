"""The events that orders publish. An order's version is its own column of that name."""

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
    """``country`` is where it goes (ISO 3166-1 alpha-2 where the address is), ``payment_method``
    card or account; one that is ``held`` waits for a person before its money is taken."""

    order_id: UUID
    customer_id: UUID
    saga_id: UUID
    currency: str
    goods_total: Money
    shipping_total: Money
    total: Money
    country: str
    payment_method: str
    held: bool
    placed_at: datetime
    lines: tuple[PlacedLine, ...]


@dataclass(frozen=True, slots=True)
class OrderMoved:
    order_id: UUID
    customer_id: UUID
    total: Money
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class OrderShipped:
    order_id: UUID
    customer_id: UUID
    total: Money
    placed_at: datetime
    tracking_number: str


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """``payment_status`` says what became of its money: not_paid, declined, voided or refunded."""

    order_id: UUID
    customer_id: UUID
    total: Money
    placed_at: datetime
    reason: str
    payment_status: str


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """Pieces of a line that came back; ``unit_price`` is in the order's currency."""

    product_id: UUID
    sku: str
    name: str
    unit_price: Decimal
    quantity: int
    restocked: bool


@dataclass(frozen=True, slots=True)
class OrderReturned:
    """``amount`` was refunded, ``returned_total`` with all before; without ``lines`` no goods came
    back."""

    order_id: UUID
    customer_id: UUID
    return_id: UUID
    amount: Money
    returned_total: Money
    placed_at: datetime
    lines: tuple[ReturnedLine, ...]


@dataclass(frozen=True, slots=True)
class CheckoutTimedOut:
    """``saga_id`` is the run of the checkout."""

    order_id: UUID
    customer_id: UUID
    saga_id: UUID
    total: Money
    placed_at: datetime


ORDER_PLACED = EventContract("order.placed", 1, OrderPlaced, "An order was accepted.")
ORDER_CONFIRMED = EventContract("order.confirmed", 1, OrderMoved, "It is paid and reserved.")
ORDER_APPROVED = EventContract(
    "order.approved", 1, OrderMoved, "A person let an order go on that was held for review."
)
ORDER_SHIPPED = EventContract("order.shipped", 1, OrderShipped, "Its parcel left.")
ORDER_DELIVERED = EventContract("order.delivered", 1, OrderMoved, "Its parcel arrived.")
ORDER_CANCELLED = EventContract(
    "order.cancelled", 1, OrderCancelled, "It was cancelled, by whomever or for whatever reason."
)
ORDER_RETURNED = EventContract(
    "order.returned", 1, OrderReturned, "Goods of it came back, or money was given back."
)
CHECKOUT_TIMED_OUT = EventContract(
    "checkout.timed_out",
    1,
    CheckoutTimedOut,
    "A checkout was not done by its deadline: all of it is undone.",
    aggregate="order",
)
CONTRACTS = (
    ORDER_PLACED,
    ORDER_APPROVED,
    ORDER_CONFIRMED,
    ORDER_SHIPPED,
    ORDER_DELIVERED,
    ORDER_CANCELLED,
    ORDER_RETURNED,
    CHECKOUT_TIMED_OUT,
)
