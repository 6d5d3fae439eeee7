"""A batch of events, folded to what is to be written: pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from apps.messaging.contracts import Received

ZERO = Decimal("0.00")
NO_STATUS, NOT_PAID, NOT_FULFILLED = "pending", "not_paid", "not_fulfilled"
CANCELLED = "cancelled"  # how the payments' ledger says that an authorization was given up
CENT = Decimal("0.01")


@dataclass(slots=True)
class OrderRow:
    """What the batch says of an order, the latest of each source; version 0 = nothing."""

    order_id: UUID
    customer_id: UUID | None = None
    currency: str = ""
    country: str = ""
    item_count: int = 0
    subtotal: Decimal = ZERO
    shipping: Decimal = ZERO
    total: Decimal = ZERO
    placed_at: datetime | None = None
    updated_at: datetime | None = None
    order_version: int = 0
    status: str = NO_STATUS
    status_version: int = 0
    refunded: Decimal = ZERO
    refunded_version: int = 0
    payment_state: str = NOT_PAID
    payment_version: int = 0
    fulfillment_status: str = NOT_FULFILLED
    shipment_version: int = 0


# What an OrderRow is written as: a column of each, in this order.
columns_of = attrgetter(*OrderRow.__slots__)


class CustomerRow(NamedTuple):
    customer_id: UUID
    name: str
    email: str
    version: int


class ProductRow(NamedTuple):
    product_id: UUID
    name: str
    sku: str
    category_id: UUID | None
    version: int


class CategoryRow(NamedTuple):
    category_id: UUID
    name: str
    version: int


class LineRow(NamedTuple):
    order_id: UUID
    position: int
    product_id: UUID
    sku: str
    name: str
    unit_price: Decimal
    quantity: int


class RefundRow(NamedTuple):
    return_id: UUID
    order_id: UUID
    amount: Decimal
    lines: list[dict[str, str]]


@dataclass(slots=True)
class Batch:
    """What a set of events says; ``fold`` adds one."""

    orders: dict[UUID, OrderRow] = field(default_factory=dict)
    lines: dict[UUID, list[LineRow]] = field(default_factory=dict)
    refunds: dict[UUID, RefundRow] = field(default_factory=dict)
    customers: dict[UUID, CustomerRow] = field(default_factory=dict)
    products: dict[UUID, ProductRow] = field(default_factory=dict)
    categories: dict[UUID, CategoryRow] = field(default_factory=dict)
    heartbeat: datetime | None = None

    def fold(self, event: Received) -> None:
        """Adds ``event``; of a topic that is not projected it takes nothing."""
        add = FOLD.get(event.topic)
        if add is not None:
            add(self, event)

    def order(self, event: Received) -> OrderRow:
        order_id = event.payload.order_id
        row = self.orders.get(order_id)
        if row is None:
            row = self.orders[order_id] = OrderRow(order_id)
        if row.updated_at is None or row.updated_at < event.occurred_at:
            row.updated_at = event.occurred_at
        return row

    def lines_of(self, order_ids: Iterable[UUID]) -> list[LineRow]:
        return list(chain.from_iterable(self.lines[one] for one in order_ids))


def folded(events: Iterable[Received]) -> Batch:
    """What ``events`` say together."""
    batch = Batch()
    for event in events:
        batch.fold(event)
    return batch


def _placed(batch: Batch, event: Received) -> None:
    row, placed = batch.order(event), event.payload
    _moved_to(row, NO_STATUS, event.aggregate_version)
    if row.placed_at is not None:
        return
    order_id = placed.order_id
    batch.lines[order_id] = [
        LineRow(order_id, n, line.product_id, line.sku, line.name, line.unit_price, line.quantity)
        for n, line in enumerate(placed.lines, 1)
    ]
    row.customer_id, row.currency, row.country = (
        placed.customer_id,
        placed.currency,
        placed.country,
    )
    row.item_count = sum(line.quantity for line in placed.lines)
    row.subtotal, row.shipping = placed.goods_total.amount, placed.shipping_total.amount
    row.total, row.placed_at = placed.total.amount, placed.placed_at


def _status(status: str) -> Callable[[Batch, Received], None]:
    def fold(batch: Batch, event: Received) -> None:
        _moved_to(batch.order(event), status, event.aggregate_version)

    return fold


def _moved_to(row: OrderRow, status: str, version: int) -> None:
    if row.status_version < version:
        row.status, row.status_version = status, version
    row.order_version = max(row.order_version, version)


def _seen(batch: Batch, event: Received) -> None:
    row = batch.order(event)
    row.order_version = max(row.order_version, event.aggregate_version)


def _returned(batch: Batch, event: Received) -> None:
    _seen(batch, event)
    row, back = batch.order(event), event.payload
    if row.refunded_version < event.aggregate_version:
        row.refunded, row.refunded_version = back.returned_total.amount, event.aggregate_version
    lines = [
        {
            "product_id": str(line.product_id),
            "value": str((line.unit_price * line.quantity).quantize(CENT)),
        }
        for line in back.lines
    ]
    batch.refunds[back.return_id] = RefundRow(
        back.return_id, back.order_id, back.amount.amount, lines
    )


def _paid(state: str) -> Callable[[Batch, Received], None]:
    def fold(batch: Batch, event: Received) -> None:
        _money(batch, event, state)

    return fold


def _payment_failed(batch: Batch, event: Received) -> None:
    """Only a refused authorization moves the payment: the others leave it where it was."""
    if event.payload.operation == "authorization":
        _money(batch, event, NOT_PAID if event.payload.code == CANCELLED else "declined")


def _refunded(batch: Batch, event: Received) -> None:
    _money(batch, event, "partially_refunded" if event.payload.refund_id else "refunded")


def _money(batch: Batch, event: Received, state: str) -> None:
    row = batch.order(event)
    if row.payment_version < event.aggregate_version:
        row.payment_state, row.payment_version = state, event.aggregate_version


def _parcel(status: str) -> Callable[[Batch, Received], None]:
    def fold(batch: Batch, event: Received) -> None:
        row = batch.order(event)
        if row.shipment_version < event.aggregate_version:
            row.fulfillment_status, row.shipment_version = status, event.aggregate_version

    return fold


def _customer(batch: Batch, event: Received) -> None:
    who = event.payload
    _newer(
        batch.customers, CustomerRow(who.customer_id, who.name, who.email, event.aggregate_version)
    )


def _product(batch: Batch, event: Received) -> None:
    what = event.payload
    category_id = what.category.category_id if what.category else None
    row = ProductRow(what.product_id, what.name, what.sku, category_id, event.aggregate_version)
    _newer(batch.products, row)


def _category(batch: Batch, event: Received) -> None:
    what = event.payload
    _newer(batch.categories, CategoryRow(what.category_id, what.name, event.aggregate_version))


def _newer(rows: dict[UUID, Any], row: Any) -> None:
    known = rows.get(row[0])
    if known is None or known.version < row.version:
        rows[row[0]] = row


def _heartbeat(batch: Batch, event: Received) -> None:
    if batch.heartbeat is None or batch.heartbeat < event.payload.sent_at:
        batch.heartbeat = event.payload.sent_at


# What was deleted keeps its name here: orders of it are still to be read.
FOLD: dict[str, Callable[[Batch, Received], None]] = {
    "order.placed": _placed,
    "order.confirmed": _status("confirmed"),
    "order.shipped": _status("shipped"),
    "order.delivered": _status("delivered"),
    "order.cancelled": _status("cancelled"),
    "order.returned": _returned,
    "checkout.timed_out": _seen,
    "payment.authorized": _paid("authorized"),
    "payment.captured": _paid("captured"),
    "payment.voided": _paid("voided"),
    "payment.refunded": _refunded,
    "payment.failed": _payment_failed,
    "shipment.scheduled": _parcel("scheduled"),
    "shipment.failed": _parcel(NOT_FULFILLED),
    "shipment.dispatched": _parcel("shipped"),
    "shipment.delivered": _parcel("delivered"),
    "shipment.cancelled": _parcel("cancelled"),
    "customer.created": _customer,
    "customer.updated": _customer,
    "customer.restored": _customer,
    "product.created": _product,
    "product.updated": _product,
    "product.restored": _product,
    "category.created": _category,
    "category.updated": _category,
    "category.restored": _category,
    "reporting.heartbeat": _heartbeat,
}
