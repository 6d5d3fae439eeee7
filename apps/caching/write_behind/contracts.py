"""What callers and apps see of write-behind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from apps.common.errors import Unavailable


class Version(NamedTuple):
    """Of the last change of a key; a tuple compares as it must."""

    epoch: int
    counter: int


@dataclass(frozen=True, slots=True)
class Change:
    """New values of some fields of what ``key`` names; several changes of a key coalesce.

    ``deleted`` ends it: a tombstone with a version like any other, in place of all fields. Names of
    fields do not begin with a colon.
    """

    key: str
    fields: Mapping[str, bytes]
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """What the database does not have yet of ``key``: the newest value of each field.

    ``older`` are the versions of those fields that came before the last change of ``key``.
    """

    key: str
    version: Version
    fields: Mapping[str, bytes]
    deleted: bool = False
    older: Mapping[str, Version] = field(default_factory=dict)

    def beyond(self, version: tuple[int, int]) -> Mapping[str, bytes]:
        """The fields that a row of ``version`` does not have: after a drain the row may have been
        written directly, and only what came later may be written over that."""
        if not self.older:
            return self.fields if self.version > version else {}
        return {
            name: value
            for name, value in self.fields.items()
            if self.older.get(name, self.version) > version
        }


class Refused(StrEnum):
    """Why a change was not taken; the caller writes it to the database instead, or says so."""

    FULL = "full"  # too much is pending already: write through
    AWAY = "away"  # Redis does not answer; it may or may not have taken the change
    DELETED = "deleted"  # a tombstone of the key is pending


@dataclass(frozen=True, slots=True)
class Rejected:
    """A change that the database will never take, and why: it becomes a dead letter."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A change that the database refused, with the age in seconds of its death."""

    id: str
    key: str
    version: Version
    fields: Mapping[str, bytes]
    reason: str
    age: float
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Backlog:
    """``oldest`` is the age in seconds of the oldest pending change (0: nothing is pending)."""

    keys: int
    oldest: float
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Edit:
    """One accepted change as the log has it (the newest ``LOG_LENGTH`` or so): ``at`` is in
    seconds since 1970, ``by`` whoever brought it; or a dead letter that ``by`` ``discarded``."""

    at: float
    key: str
    version: Version
    fields: Mapping[str, bytes]
    by: str
    deleted: bool = False
    discarded: bool = False


@dataclass(frozen=True, slots=True)
class Buffer:
    """What an app declares: ``apply`` writes a batch in one transaction of its own on ``alias``,
    guarded by version, and returns what it will never take; it raises for what passes.

    A row takes a change whose version is greater than its own; what is not greater it has already,
    and that is no rejection. ``shards`` may change only while nothing is pending.
    """

    name: str
    alias: str
    apply: Callable[[Sequence[Pending]], Sequence[Rejected]]
    next_epoch: Callable[[], int]  # from a sequence of the database
    shards: int = 4
    batch: int = 5_000
    limit: int = 1_000_000  # pending keys; above it, changes are refused
    # For the audit: the versions that the rows of these keys have.
    versions: Callable[[Sequence[str]], Mapping[str, tuple[int, int]]] | None = None


class PendingUnknown(Unavailable):
    """Redis does not say what is pending."""

    code, title = "edits_unknown", "Edits that wait cannot be read now"
