"""A customer with orders, as the events tell of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from moneyed import Money

from apps.customers import event_contracts as customers
from apps.messaging.contracts import EventContract, Received
from apps.notifications.intents import handle
from apps.notifications.models import Email
from apps.orders import event_contracts as orders

ORDER_ID = UUID("019aa1c5-7c1e-7d52-8f2a-3f5d6a1b2c3d")
PLACED_AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def event(
    contract: EventContract, key: Any, payload: Any, *, version: int = 1, **words
) -> Received:
    """An event that happened just now."""
    return Received(
        event_id=words.pop("event_id", None) or uuid4(),
        topic=contract.topic,
        aggregate=f"{contract.aggregate_kind}:{key}",
        aggregate_version=version,
        schema_version=contract.version,
        occurred_at=words.pop("occurred_at", None) or datetime.now(UTC),
        payload=payload,
        headers={"correlation_id": "request-1"},
    )


def told(*events: Received) -> None:
    """The consumer group gets ``events`` as one batch."""
    with transaction.atomic(using="default"):
        handle(events)


def pounds(amount: str) -> Money:
    return Money(amount, "GBP")


@dataclass
class Post:
    """Ada and an order of hers."""

    email: str = "ada@example.com"
    name: str = "Ada Lovelace"
    customer_id: UUID = field(default_factory=uuid4)
    order_id: UUID = ORDER_ID

    def created(self, *, signed_up: bool = True, version: int = 1, **words) -> Received:
        payload = customers.CustomerCreated(
            self.customer_id, self.email, self.name, True, False, False, signed_up
        )
        return event(
            customers.CUSTOMER_CREATED, self.customer_id, payload, version=version, **words
        )

    def updated(self, email: str, version: int) -> Received:
        payload = customers.CustomerState(
            self.customer_id, email, self.name, active=True, staff=False, buys_on_account=False
        )
        return event(customers.CUSTOMER_UPDATED, self.customer_id, payload, version=version)

    def deleted(self, version: int) -> Received:
        payload = customers.CustomerDeleted(self.customer_id, self.email, self.name)
        return event(customers.CUSTOMER_DELETED, self.customer_id, payload, version=version)

    def placed(self, lines: Sequence[orders.PlacedLine] | None = None) -> Received:
        lines = tuple(
            lines
            or (
                orders.PlacedLine(uuid4(), "MUG", "Mug, blue", Decimal("9.50"), 2),
                orders.PlacedLine(uuid4(), "TEA", "Tea <Earl & Grey>", Decimal("1250.00"), 1),
            )
        )
        payload = orders.OrderPlaced(
            order_id=self.order_id,
            customer_id=self.customer_id,
            saga_id=uuid4(),
            currency="GBP",
            goods_total=pounds("1269.00"),
            shipping_total=pounds("4.95"),
            total=pounds("1273.95"),
            country="GB",
            payment_method="card",
            held=False,
            placed_at=PLACED_AT,
            lines=lines,
        )
        return event(orders.ORDER_PLACED, self.order_id, payload)

    def confirmed(self, **words) -> Received:
        payload = orders.OrderMoved(self.order_id, self.customer_id, pounds("1273.95"), PLACED_AT)
        return event(orders.ORDER_CONFIRMED, self.order_id, payload, version=2, **words)

    def shipped(self, **words) -> Received:
        payload = orders.OrderShipped(
            self.order_id, self.customer_id, pounds("1273.95"), PLACED_AT, "HF00012345"
        )
        return event(orders.ORDER_SHIPPED, self.order_id, payload, version=3, **words)

    def cancelled(self, reason: str = "changed_mind", money: str = "refunded") -> Received:
        payload = orders.OrderCancelled(
            self.order_id, self.customer_id, pounds("1273.95"), PLACED_AT, reason, money
        )
        return event(orders.ORDER_CANCELLED, self.order_id, payload, version=3)

    def returned(self) -> Received:
        line = orders.ReturnedLine(uuid4(), "MUG", "Mug, blue", Decimal("9.50"), 1, True)
        payload = orders.OrderReturned(
            self.order_id, self.customer_id, uuid4(), pounds("9.50"), pounds("19.00"), PLACED_AT,
            (line,),
        )  # fmt: skip
        return event(orders.ORDER_RETURNED, self.order_id, payload, version=5)

    def emails(self) -> list[Email]:
        return list(Email.objects.filter(customer_id=self.customer_id).order_by("pk"))

    def states(self) -> dict[str, str]:
        """State by kind."""
        return {mail.kind: mail.state for mail in self.emails()}


def due_now() -> None:
    """Whatever waits has waited long enough."""
    Email.objects.filter(state__in=("pending", "sending")).update(
        next_attempt_at=datetime.now(UTC) - timedelta(seconds=1)
    )


def welcome(count: int) -> list[Post]:
    """So many people who signed up, each with a mail to be sent."""
    posts = [Post(email=f"{n}@example.com", order_id=uuid4()) for n in range(count)]
    told(*(post.created() for post in posts))
    return posts
