"""Events to be carried, and a broker whose moods a test decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
from django.db import transaction

from apps.common.databases import fetch_all
from apps.messaging.brokers.base import BrokerDown, Outgoing
from apps.messaging.contracts import EventContract
from apps.messaging.outbox import Event, append


@dataclass(frozen=True, slots=True)
class Note:
    text: str


NOTED = EventContract("test.noted", 1, Note, "Something was noted.")


def note(aggregate: str, version: int = 1, text: str = "", *, alias: str = "orders") -> None:
    """Appends one event in a transaction of its own."""
    with transaction.atomic(using=alias):
        append(alias, [Event(NOTED, aggregate, version, Note(text), "request-1")])


def outbox(alias: str = "orders") -> dict[str, tuple[int, bool, bool]]:
    """``aggregate v`` → attempts, published, dead; in the order of their ids."""
    return {
        f"{aggregate.partition(':')[2]} {version}": (attempts, published, dead)
        for aggregate, version, attempts, published, dead in fetch_all(
            alias,
            "SELECT aggregate, aggregate_version, attempts, published_at IS NOT NULL,"
            " dead_at IS NOT NULL FROM messaging_outbox ORDER BY id",
        )
    }


class Moody:
    """Keeps what it is given; ``refuse`` says what is wrong with a message, ``down`` is whether
    it answers at all."""

    def __init__(self):
        self.bodies: list[dict] = []
        self.down = False
        self.refuse: Callable[[Outgoing], str | None] = lambda message: None
        self.declared = 0

    def __call__(self) -> "Moody":
        """As the factory of brokers: always this one."""
        return self

    def declare(self, bindings) -> None:
        self._answer()
        self.declared += 1

    def publish(self, messages: Sequence[Outgoing]) -> list[str | None]:
        self._answer()
        answers = [self.refuse(message) for message in messages]
        for message, answer in zip(messages, answers, strict=True):
            if answer is None:
                self.bodies.append(orjson.loads(message.body))
        return answers

    def _answer(self) -> None:
        if self.down:
            raise BrokerDown("down")

    def trim(self) -> int:
        return 0

    def close(self) -> None:
        pass

    @property
    def got(self) -> list[str]:
        """``aggregate v`` in the order of arrival."""
        return [
            f"{body['aggregate'].partition(':')[2]} {body['aggregate_version']}"
            for body in self.bodies
        ]

    @property
    def ids(self) -> list[UUID]:
        return [UUID(body["event_id"]) for body in self.bodies]
