"""Groups that are there for one test, and messages for them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
import pytest

from apps.common.databases import fetch_all
from apps.common.ids import new_id
from apps.messaging import contracts
from apps.messaging.contracts import EventContract, Received
from apps.messaging.groups import ConsumerGroup

ALIAS = "reporting"


@dataclass(frozen=True, slots=True)
class Told:
    text: str


TOLD = EventContract("tale.told", 1, Told, "Something was told.")


class Listener:
    """A group whose handler keeps what it is given and does what a text asks for."""

    def __init__(self):
        self.calls: list[list[str]] = []
        self.hinted: list[str] = []
        self.acts: dict[str, Callable[[], None]] = {}

    def group(self, **changes) -> ConsumerGroup:
        settings = {"name": "listener", "alias": ALIAS, "topics": ("tale.*",)} | changes
        return ConsumerGroup(handle=self.handle, after_commit=self.hint, **settings)

    def handle(self, events: Sequence[Received]) -> None:
        self.calls.append([event.payload.text for event in events])
        for event in events:
            self.acts.get(event.payload.text, lambda: None)()

    def hint(self, events: Sequence[Received]) -> None:
        self.hinted += [event.payload.text for event in events]


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture(autouse=True)
def _told(monkeypatch) -> Iterator[None]:
    monkeypatch.setitem(contracts._contracts, (TOLD.topic, TOLD.version), TOLD)


def told(text: str, **changes) -> bytes:
    """A message that tells ``text``."""
    envelope = {
        "event_id": str(new_id()),
        "topic": "tale.told",
        "aggregate": "tale:1",
        "aggregate_version": 1,
        "schema_version": 1,
        "occurred_at": "2026-11-20T12:00:00+00:00",
        "payload": {"text": text},
        "headers": {},
    }
    return orjson.dumps(envelope | changes)


def id_of(body: bytes) -> UUID:
    return UUID(orjson.loads(body)["event_id"])


def letters(group: str = "listener") -> list[tuple[str, str, bytes]]:
    """Reason, topic and body of the dead letters that wait."""
    rows = fetch_all(
        ALIAS,
        "SELECT reason, topic, body FROM messaging_deadletter"
        " WHERE consumer = %s AND redriven_at IS NULL ORDER BY id",
        [group],
    )
    return [(reason, topic, bytes(body)) for reason, topic, body in rows]


def entered(group: str = "listener") -> set[UUID]:
    """What stands in the group's inbox."""
    rows = fetch_all(ALIAS, "SELECT message_id FROM messaging_inbox WHERE consumer = %s", [group])
    return {UUID(row[0]) for row in rows}


def attempts(group: str = "listener") -> dict[UUID, int]:
    return dict(
        fetch_all(
            ALIAS,
            "SELECT event_id, attempts FROM messaging_deliveryattempt WHERE consumer = %s",
            [group],
        )
    )


def make_due() -> None:
    """Every event that waits for its next attempt has waited long enough."""
    fetch_all(
        ALIAS, "UPDATE messaging_deliveryattempt SET next_attempt_at = now() RETURNING event_id"
    )
