"""Events that a handler trips over, die and are redriven: part of the day."""

from collections.abc import Sequence
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from apps.common.databases import fetch_all
from apps.messaging.brokers.base import Delivery
from apps.messaging.consuming.consumer import Consumer
from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup, register_groups
from apps.messaging.letters import Wanted, letters_redrive, letters_waiting

ALIAS = "orders"


class Hand:
    """A subscription that holds some messages once."""

    def __init__(self, bodies: Sequence[bytes]):
        self.bodies = bodies

    def receive(self, count: int, seconds: float) -> list[Delivery]:
        return [Delivery(number, body, False) for number, body in enumerate(self.bodies)]

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        pass

    put_back = ack


class Mishap:
    """Three events, of which the handler does not bear one until it is mended."""

    def __init__(self, name: str):
        self.name, self.mended = f"mishap-{name}"[:60], False
        self.ids = [uuid5(NAMESPACE_URL, f"{self.name} {number}") for number in range(3)]
        self.group = ConsumerGroup(
            self.name, ALIAS, ("mishap.*",), self.handle, max_attempts=1, raw=True
        )

    def handle(self, events: Sequence[Received]) -> None:
        if not self.mended and any(event.event_id == self.ids[1] for event in events):
            raise ValueError("tripped")

    def live(self) -> None:
        register_groups([self.group])
        consumer = Consumer(self.group, lambda: None, stopping=lambda: True, name=self.name)
        consumer.step(Hand([_body(event_id) for event_id in self.ids]))
        self.mended = True
        waiting = letters_waiting(ALIAS, Wanted(consumer=self.name))
        letters_redrive(ALIAS, list(waiting.values_list("pk", flat=True)), why="it is mended")

    def books(self) -> dict[str, int]:
        [(applied,)] = fetch_all(
            ALIAS, "SELECT count(*) FROM messaging_inbox WHERE consumer = %s", [self.name]
        )
        waiting = letters_waiting(ALIAS, Wanted(consumer=self.name))
        return {"applied": applied, "dead": waiting.count()}


def _body(event_id: UUID) -> bytes:
    return orjson.dumps(
        {
            "event_id": str(event_id),
            "topic": "mishap.happened",
            "aggregate": "mishap:1",
            "aggregate_version": 1,
            "schema_version": 1,
            "occurred_at": "2026-11-20T12:00:00Z",
            "payload": {},
        }
    )
