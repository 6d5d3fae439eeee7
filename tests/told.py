"""What a block of code leaves in an outbox."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from apps.common.contracts import decoder
from apps.common.databases import fetch_all, fetch_one
from apps.messaging.contracts import find_contract


class Told(NamedTuple):
    """An event; ``payload`` is an instance of its contract's dataclass."""

    topic: str
    payload: Any
    aggregate: str
    version: int
    correlation_id: str


class Listener(list[Told]):
    """The events of a block once it is over, oldest first."""

    @property
    def facts(self) -> list[tuple[str, Any]]:
        """Topic and payload of each."""
        return [(one.topic, one.payload) for one in self]

    @property
    def topics(self) -> list[str]:
        return [one.topic for one in self]


@contextmanager
def listening(alias: str) -> Iterator[Listener]:
    """Fills the list given with what the block appends to the outbox of ``alias``.

    Each event fits its contract, and none has a version that its aggregate had before.
    """
    heard = Listener()
    [last] = fetch_one(alias, "SELECT coalesce(max(id), 0) FROM messaging_outbox")
    yield heard
    heard += [_told(*row) for row in fetch_all(alias, SINCE, [last])]
    assert [one for one in heard if not _grows(alias, one)] == []


SINCE = """
    SELECT topic, schema_version, payload::text, aggregate, aggregate_version,
           coalesce(headers->>'correlation_id', '')
    FROM messaging_outbox WHERE id > %s ORDER BY id
"""


def _told(topic: str, schema: int, payload: str, *rest: Any) -> Told:
    contract = find_contract(topic, schema)
    assert rest[0].startswith(f"{contract.aggregate_kind}:")
    return Told(topic, decoder(contract.payload).decode(payload), *rest)


def _grows(alias: str, event: Told) -> bool:
    rows = fetch_all(
        alias,
        "SELECT aggregate_version FROM messaging_outbox WHERE aggregate = %s ORDER BY id",
        [event.aggregate],
    )
    versions = [version for [version] in rows]
    return versions == sorted(set(versions))
