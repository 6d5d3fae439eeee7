"""What an event is: its contract with everybody who reads it, and how it travels.

Each publishing app declares its contracts in ``event_contracts.py`` as frozen dataclasses;
``project/wiring.py`` registers them. A change that old readers cannot read is a new version beside
the old one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec


@dataclass(frozen=True, slots=True)
class EventContract:
    """``topic`` in ``version`` carries a ``payload`` (a frozen dataclass); ``summary`` says what
    happened, in the words of ``docs/events.md``. ``aggregate`` is the kind of thing it is told of:
    where nothing is said, the topic's first word."""

    topic: str
    version: int
    payload: type
    summary: str
    aggregate: str = ""

    @property
    def aggregate_kind(self) -> str:
        return self.aggregate or self.topic.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event on the wire, as JSON; ``payload`` is not looked into yet."""

    event_id: UUID
    topic: str
    aggregate: str
    aggregate_version: int
    schema_version: int
    occurred_at: datetime
    payload: msgspec.Raw
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Received:
    """An event as a handler gets it: ``payload`` is an instance of its contract's dataclass, for a
    ``raw`` group its JSON.

    ``aggregate`` is ``kind:id``; ``aggregate_version`` grows with each event of the aggregate, but
    not always by one. ``headers`` hold ``correlation_id`` where the cause had one.
    """

    event_id: UUID
    topic: str
    aggregate: str
    aggregate_version: int
    schema_version: int
    occurred_at: datetime
    payload: Any
    headers: dict[str, str]

    @property
    def aggregate_id(self) -> str:
        return self.aggregate.partition(":")[2]


_contracts: dict[tuple[str, int], EventContract] = {}


def register_contracts(contracts: Iterable[EventContract]) -> None:
    """Makes ``contracts`` known; raises ``ValueError`` where a topic has another one already in
    the same version."""
    for contract in contracts:
        known = _contracts.setdefault((contract.topic, contract.version), contract)
        if known != contract:
            raise ValueError(f"{contract.topic} v{contract.version} is declared twice")


def find_contract(topic: str, version: int) -> EventContract | None:
    return _contracts.get((topic, version))


def all_contracts() -> list[EventContract]:
    """All that are registered, by topic and version."""
    return [_contracts[key] for key in sorted(_contracts)]
