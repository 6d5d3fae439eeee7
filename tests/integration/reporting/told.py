"""Events as other apps tell them, and what the read model has of them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from moneyed import Money

from apps.catalog import event_contracts as catalog
from apps.common.databases import fetch_all
from apps.common.ids import new_id
from apps.customers import event_contracts as customers
from apps.messaging.contracts import EventContract, Received
from apps.orders import event_contracts as orders
from apps.payments import event_contracts as payments
from apps.reporting.enums import DATABASE
from apps.reporting.projecting.applying import project
from apps.shipping import event_contracts as shipping

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_clock = itertools.count()


def gbp(amount: Decimal | str) -> Money:
    return Money(Decimal(amount), "GBP")


def told(contract: EventContract, subject: Any, version: int, payload: Any) -> Received:
    at = NOON + timedelta(seconds=next(_clock))
    aggregate = f"{contract.aggregate_kind}:{subject}"
    topic = contract.topic
    return Received(new_id(), topic, aggregate, version, contract.version, at, payload, {})


def apply(events: Sequence[Received]) -> None:
    with transaction.atomic(using=DATABASE):
        project(events)


def category(category_id: UUID, name: str, version: int = 1) -> Received:
    state = catalog.CategoryState(category_id, name, name.lower(), None)
    return told(catalog.CATEGORY_UPDATED, category_id, version, state)


def product(product_id: UUID, name: str, category_id: UUID | None, version: int = 1) -> Received:
    where = catalog.InCategory(category_id, "?") if category_id else None
    state = catalog.ProductState(product_id, name.upper(), name, name, gbp("1"), True, where)
    return told(catalog.PRODUCT_UPDATED, product_id, version, state)


def customer(customer_id: UUID, name: str, version: int = 1) -> Received:
    email = f"{name.lower()}@example.org"
    state = customers.CustomerState(customer_id, email, name, True, False, False)
    return told(customers.CUSTOMER_UPDATED, customer_id, version, state)


@dataclass
class AnOrder:
    """An order that makes its events one by one; ``goods`` are (product, price, pieces)."""

    customer_id: UUID
    goods: Sequence[tuple[UUID, str, int]]
    country: str = "GB"
    shipping: str = "0.00"
    placed_at: datetime = NOON
    order_id: UUID = field(default_factory=new_id)
    version: int = 0
    ledger: int = 0
    back: Decimal = Decimal("0.00")

    @property
    def subtotal(self) -> Decimal:
        return sum((Decimal(price) * n for _, price, n in self.goods), Decimal("0.00"))

    @property
    def total(self) -> Decimal:
        return self.subtotal + Decimal(self.shipping)

    def _order(self, contract: EventContract, *payload: Any) -> Received:
        self.version += 2  # the order also counts changes that nobody is told of
        return told(contract, self.order_id, self.version, contract.payload(*payload))

    @property
    def _who(self) -> tuple:
        return self.order_id, self.customer_id, gbp(self.total), self.placed_at

    def placed(self) -> Received:
        lines = tuple(
            orders.PlacedLine(product_id, str(product_id)[:8], f"Thing {n}", Decimal(price), pieces)
            for n, (product_id, price, pieces) in enumerate(self.goods)
        )
        return self._order(
            orders.ORDER_PLACED,
            *(self.order_id, self.customer_id, new_id(), "GBP", gbp(self.subtotal)),
            *(gbp(self.shipping), gbp(self.total), self.country, "card", False),
            *(self.placed_at, lines),
        )

    def confirmed(self) -> Received:
        return self._order(orders.ORDER_CONFIRMED, *self._who)

    def shipped(self) -> Received:
        return self._order(orders.ORDER_SHIPPED, *self._who, "HF1")

    def delivered(self) -> Received:
        return self._order(orders.ORDER_DELIVERED, *self._who)

    def cancelled(self) -> Received:
        return self._order(orders.ORDER_CANCELLED, *self._who, "customer_request", "voided")

    def returned(self, amount: str, *lines: tuple[int, int]) -> Received:
        """``lines`` are (index of the goods, pieces)."""
        self.back += Decimal(amount)
        goods = tuple(
            orders.ReturnedLine(
                self.goods[n][0], "S", "Thing", Decimal(self.goods[n][1]), pieces, True
            )
            for n, pieces in lines
        )
        return self._order(
            orders.ORDER_RETURNED,
            *(self.order_id, self.customer_id, new_id(), gbp(amount), gbp(self.back)),
            *(self.placed_at, goods),
        )

    def paid(self, contract: EventContract, *, part: bool = False) -> Received:
        """``payment.…``; a refund of a ``part``."""
        self.ledger += 3
        more = (new_id(),) if part else ()
        payload = contract.payload(self.order_id, self.order_id, gbp(self.total), "card", *more)
        return told(contract, self.order_id, self.ledger, payload)

    def parcel(self, contract: EventContract, version: int) -> Received:
        payload = contract.payload(self.order_id, self.order_id, "HF1")
        return told(contract, self.order_id, version, payload)

    def life(self) -> list[Received]:
        """Up to its delivery, as the shop tells it."""
        return [
            self.placed(),
            self.paid(payments.PAYMENT_AUTHORIZED),
            self.parcel(shipping.SHIPMENT_SCHEDULED, 1),
            self.paid(payments.PAYMENT_CAPTURED),
            self.confirmed(),
            self.parcel(shipping.SHIPMENT_DISPATCHED, 3),
            self.shipped(),
            self.parcel(shipping.SHIPMENT_DELIVERED, 4),
            self.delivered(),
        ]


NATURAL = {  # what rows are compared by: all columns but generated numbers
    "orderview": "order_id, customer_id, customer_name, customer_email, status, payment_state,"
    " fulfillment_status, currency, country, item_count, subtotal, shipping, total, refunded,"
    " placed_at, updated_at, order_version, status_version, refunded_version, payment_version,"
    " shipment_version, sold, payment_status, status_display",
    "orderviewline": "order_id, position, product_id, sku, name, unit_price, quantity, category_id",
    "orderviewrefund": "return_id, order_id, amount, lines::text",
    "customername": "customer_id, name, email, version",
    "productname": "product_id, name, sku, category_id, version",
    "categoryname": "category_id, name, version",
    "dailysales": "dimension, key, day, currency, orders, pieces, revenue, refunds",
}


def tables() -> dict[str, list[tuple]]:
    """Everything the read model says."""
    return {
        name: fetch_all(DATABASE, f"SELECT {columns} FROM reporting_{name} ORDER BY 1, 2, 3")
        for name, columns in NATURAL.items()
    }


def sales(dimension: str) -> dict[str, tuple]:
    """key → (orders, pieces, revenue, refunds) of the one day and currency that there are."""
    rows = fetch_all(
        DATABASE,
        "SELECT key, orders, pieces, revenue, refunds FROM reporting_dailysales"
        " WHERE dimension = %s",
        [dimension],
    )
    found = {key: tuple(rest) for key, *rest in rows}
    assert len(found) == len(rows)
    return found
