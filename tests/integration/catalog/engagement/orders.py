"""Orders as their events tell of them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
from moneyed import Money

from apps.common.contracts import encode
from apps.messaging.consuming.delivering import Verdict, deliver
from apps.messaging.consuming.parsing import parse
from apps.messaging.contracts import Envelope, EventContract, Received
from apps.messaging.groups import find_group
from apps.orders import event_contracts as orders

NOW = datetime.now(UTC)
POUNDS = Money("9.50", "GBP")


@dataclass
class Sale:
    """An order of ``lines``: product → pieces."""

    lines: dict[UUID, int]
    order_id: UUID = field(default_factory=uuid4)
    customer_id: UUID = field(default_factory=uuid4)

    def placed(self) -> Envelope:
        lines = tuple(
            orders.PlacedLine(product, "SKU", "Thing", Decimal("9.50"), pieces)
            for product, pieces in self.lines.items()
        )
        payload = orders.OrderPlaced(
            self.order_id, self.customer_id, uuid4(), "GBP", POUNDS, POUNDS, POUNDS, "GB", "card",
            False, NOW, lines,
        )  # fmt: skip
        return self._event(orders.ORDER_PLACED, payload, 1)

    def confirmed(self, at: datetime = NOW) -> Envelope:
        payload = orders.OrderMoved(self.order_id, self.customer_id, POUNDS, NOW)
        return self._event(orders.ORDER_CONFIRMED, payload, 2, at)

    def shipped(self) -> Envelope:
        payload = orders.OrderShipped(self.order_id, self.customer_id, POUNDS, NOW, "T-1")
        return self._event(orders.ORDER_SHIPPED, payload, 3)

    def cancelled(self) -> Envelope:
        payload = orders.OrderCancelled(
            self.order_id, self.customer_id, POUNDS, NOW, "changed_mind", "voided"
        )
        return self._event(orders.ORDER_CANCELLED, payload, 3)

    def returned(self, lines: dict[UUID, int]) -> Envelope:
        back = tuple(
            orders.ReturnedLine(product, "SKU", "Thing", Decimal("9.50"), pieces, True)
            for product, pieces in lines.items()
        )
        payload = orders.OrderReturned(
            self.order_id, self.customer_id, uuid4(), POUNDS, POUNDS, NOW, back
        )
        return self._event(orders.ORDER_RETURNED, payload, 4)

    def sold(self, at: datetime = NOW) -> list[Envelope]:
        return [self.placed(), self.confirmed(at)]

    def _event(
        self, contract: EventContract, payload: Any, version: int, at: datetime = NOW
    ) -> Envelope:
        return Envelope(
            uuid4(),
            contract.topic,
            f"order:{self.order_id}",
            version,
            contract.version,
            at,
            msgspec.Raw(encode(payload)),
        )


def received(event: Envelope) -> Received:
    """The event as a handler gets it."""
    return parse(find_group("catalog.engagement"), encode(event))


def tell(*events: Envelope) -> list[Verdict]:
    """The group gets ``events`` as one message batch, as a consumer delivers them."""
    return deliver(find_group("catalog.engagement"), [encode(one) for one in events])
