"""What the API, the admin and imports may know of orders."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from moneyed import Money

from apps.customers.contracts import Address


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A wish for ``quantity`` pieces (1 to 1,000,000) of a product."""

    product_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """A customer's order; ``principal`` and ``key`` make it happen once, however often sent.

    ``address`` is one, or the id of one of the customer's own. ``payment_method`` is ``card``, by
    ``card_token``, or ``account``, for customers who may buy on account, without a token.

    ``cart_id`` says that the lines are those of a cart: the order gets its id, and what the cart
    holds in stock. They are then no part of what a repeat of the key must have in common.
    """

    principal: str
    key: str
    customer_id: UUID
    lines: tuple[OrderLine, ...]
    card_token: str
    address: Address | UUID
    correlation_id: str = ""
    payment_method: str = "card"
    cart_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ImportedLine:
    """A line as another system sold it."""

    product_id: UUID
    quantity: int
    unit_price: Money


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """An order as another system sold it: the one way to bring prices and a date along.

    ``external_reference`` is unique for ever: importing it again places nothing. An import tells
    how it was paid; nobody asks again whether the customer may buy on ``account``.
    """

    external_reference: str
    customer_id: UUID
    lines: tuple[ImportedLine, ...]
    shipping: Money
    card_token: str
    address: Address
    placed_at: datetime
    payment_method: str = "card"


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """The receipt: the order is accepted, its saga decides."""

    order_id: UUID
    saga_id: UUID
    status: str
    version: int
    total: Money
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Undo an order that has not left the house.

    ``customer_id`` limits it to that customer's orders (None: staff). ``version``, if given, must
    be the order's present one.
    """

    principal: str
    key: str
    order_id: UUID
    reason: str
    customer_id: UUID | None = None
    version: int | None = None
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class ShipOrder:
    """The order's parcel left the house. Idempotent by its state."""

    order_id: UUID
    version: int | None = None
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class ApproveOrder:
    """A person approves an order that is held for review. Idempotent by its state."""

    order_id: UUID
    version: int | None = None
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class DeliverOrder:
    """The order's parcel arrived. Idempotent by its state."""

    order_id: UUID
    version: int | None = None
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """``quantity`` pieces (≥ 1) of the order's line at ``position``; without ``restock`` they are
    not fit to be sold again."""

    position: int
    quantity: int
    restock: bool = True


@dataclass(frozen=True, slots=True)
class RequestReturn:
    """A customer wishes to send goods back; staff decide."""

    principal: str
    key: str
    order_id: UUID
    customer_id: UUID
    reason: str
    lines: tuple[ReturnLine, ...]
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class ReturnItems:
    """Staff take goods back, or without ``lines`` refund ``amount`` as a kindness.

    ``version``, if given, must be the order's present one.
    """

    principal: str
    key: str
    order_id: UUID
    reason: str
    lines: tuple[ReturnLine, ...] = ()
    amount: Money | None = None
    version: int | None = None
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class ApproveReturn:
    """Staff take back what a customer asked to send back; ``damaged`` names the positions that are
    not fit to be sold again. ``version`` is the return's."""

    principal: str
    key: str
    return_id: UUID
    damaged: tuple[int, ...] = ()
    version: int | None = None
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class RefuseReturn:
    """Staff do not take it back. Idempotent by its state. ``version`` is the return's."""

    return_id: UUID
    reason: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class ImportReturn:
    """A return as another system took it. ``external_reference`` is unique for ever: importing it
    again returns nothing twice."""

    external_reference: str
    order_id: UUID
    lines: tuple[ReturnLine, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class ReturnAccepted:
    """A return is on record; its saga (none while it is only requested) carries it out.

    ``version`` is the return's, ``amount`` what is refunded.
    """

    return_id: UUID
    order_id: UUID
    status: str
    version: int
    amount: Money
    saga_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReturnLineView:
    position: int
    product_id: UUID
    sku: str
    name: str
    unit_price: Money
    quantity: int
    restock: bool


@dataclass(frozen=True, slots=True)
class ReturnView:
    """A return as its owner and staff see it."""

    return_id: UUID
    order_id: UUID
    status: str
    version: int
    reason: str
    refusal: str
    goods_total: Money
    amount: Money
    created_at: datetime
    ended_at: datetime | None
    saga_id: UUID | None
    lines: tuple[ReturnLineView, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandAccepted:
    """A command on an order was taken: its saga (if it needs one) carries it out."""

    order_id: UUID
    status: str
    version: int
    saga_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class OrderLineView:
    position: int
    product_id: UUID
    sku: str
    name: str
    unit_price: Money
    quantity: int
    total: Money


@dataclass(frozen=True, slots=True)
class OrderView:
    order_id: UUID
    customer_id: UUID
    saga_id: UUID | None
    status: str
    payment_status: str
    fulfillment_status: str
    review: str
    version: int
    goods_total: Money
    shipping_total: Money
    total: Money
    returned_total: Money
    placed_at: datetime
    address: dict[str, Any]
    external_reference: str | None = None
    cancel_reason: str = ""
    lines: tuple[OrderLineView, ...] = field(default=())
