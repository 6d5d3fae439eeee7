"""Write-behind: edits are kept in the durable Redis first and go to the database in sets.

``Version`` is (epoch, counter): the counter grows with each change in Redis, the epoch with each
Redis that may have lost some. A row takes a change only if its own version is lower.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Version(NamedTuple):
    """Of the last change of a key; a tuple compares as it must."""

    epoch: int
    counter: int


@dataclass(frozen=True, slots=True)
class Change:
    """New values of some fields of what ``key`` names; several changes of a key coalesce."""

    key: str
    fields: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Pending:
    """What the database does not have yet of ``key``: the newest value of each field."""

    key: str
    version: Version
    fields: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A change that the database will never take, and why: it becomes a dead letter."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """``oldest`` is the age in seconds of the oldest pending change (0: nothing is pending)."""

    keys: int
    oldest: float


@dataclass(frozen=True, slots=True)
class Buffer:
    """What an app declares: ``apply`` writes a batch in one transaction of its own on ``alias``,
    guarded by version, and returns what it will never take; it raises for what passes."""

    name: str
    alias: str
    apply: Callable[[Sequence[Pending]], Sequence[Rejected]]
    next_epoch: Callable[[], int]  # from a sequence of the database
    shards: int = 4
    batch: int = 5_000
    limit: int = 1_000_000  # pending keys; above it, changes are refused
