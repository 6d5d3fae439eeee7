"""The events that orders publish. An order's version is its own column of that name."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from moneyed import Money

from apps.messaging.contracts import EventContract


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line as it was sold.

    Attributes:
        product_id: What was sold.
        sku: Its SKU at that time.
        name: Its name at that time.
        unit_price: What one piece costs, in the order's currency.
        quantity: How many pieces.
    """

    product_id: UUID
    sku: str
    name: str
    unit_price: Decimal
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """An order as it was accepted.

    Attributes:
        order_id: Which order.
        customer_id: Whose it is.
        saga_id: The run that carries out its checkout.
        currency: What it is paid in, ISO 4217.
        goods_total: All its lines.
        shipping_total: What shipping costs.
        total: What is to be paid: goods and shipping.
        country: Where it goes, ISO 3166-1 alpha-2 where the address is.
        payment_method: ``card`` or ``account``.
        held: Whether it waits for a person before its money is taken.
        placed_at: When.
        lines: What was ordered, in the order given.
    """

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
    """An order that went one step on.

    Attributes:
        order_id: Which order.
        customer_id: Whose it is.
        total: What it costs.
        placed_at: When it was placed.
    """

    order_id: UUID
    customer_id: UUID
    total: Money
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class OrderShipped:
    """An order that left the house.

    Attributes:
        order_id: Which order.
        customer_id: Whose it is.
        total: What it costs.
        placed_at: When it was placed.
        tracking_number: That of its parcel.
    """

    order_id: UUID
    customer_id: UUID
    total: Money
    placed_at: datetime
    tracking_number: str


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """An order that will not be carried out.

    Attributes:
        order_id: Which order.
        customer_id: Whose it is.
        total: What it would have cost.
        placed_at: When it was placed.
        reason: Why: a code of the shop's, or what a person said.
        payment_status: What became of its money: ``not_paid``, ``declined``, ``voided`` or
            ``refunded``.
    """

    order_id: UUID
    customer_id: UUID
    total: Money
    placed_at: datetime
    reason: str
    payment_status: str


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """Pieces of a line that came back.

    Attributes:
        product_id: What came back.
        sku: Its SKU when it was sold.
        name: Its name when it was sold.
        unit_price: What one piece cost, in the order's currency.
        quantity: How many pieces.
        restocked: Whether they are sold again.
    """

    product_id: UUID
    sku: str
    name: str
    unit_price: Decimal
    quantity: int
    restocked: bool


@dataclass(frozen=True, slots=True)
class OrderReturned:
    """A return that is complete.

    Attributes:
        order_id: Which order.
        customer_id: Whose it is.
        return_id: Which return of it.
        amount: What was given back for this return.
        returned_total: What was given back with all returns before.
        placed_at: When the order was placed.
        lines: What came back; empty where only money was given back.
    """

    order_id: UUID
    customer_id: UUID
    return_id: UUID
    amount: Money
    returned_total: Money
    placed_at: datetime
    lines: tuple[ReturnedLine, ...]


@dataclass(frozen=True, slots=True)
class CheckoutTimedOut:
    """An order whose checkout took too long.

    Attributes:
        order_id: Which order.
        customer_id: Whose it is.
        saga_id: The run of the checkout.
        total: What it would have cost.
        placed_at: When it was placed.
    """

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
