"""The four strategies: who loads on a miss, and what a write does to the cache."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apps.caching import write_behind
from apps.caching.policies import Strategy
from apps.caching.resources import Provisional
from apps.caching.strategies.base import CacheStrategy
from apps.caching.strategies.reading import Load
from apps.caching.write_behind import Change, PendingUnknown, Refused, Version

AFRESH = 50  # ids that a write-through fills anew; the rest is read when it is asked for


class CacheAside(CacheStrategy):
    """The caller loads on a miss; a write invalidates."""

    def loader(self, load: Load | None) -> Load:
        return load or self.resource.load


class ReadThrough(CacheStrategy):
    """The cache loads on a miss; a write invalidates."""


class WriteThrough(ReadThrough):
    """A write goes to the database, and once it is committed anew into the cache."""

    def _after(self, ids: Sequence[str]) -> Callable[[], None] | None:
        return (lambda: self._fill_anew(ids)) if ids else None

    def _fill_anew(self, ids: Sequence[str]) -> None:
        self.entries(list(ids)[:AFRESH])


class WriteBehind(ReadThrough):
    """What is read are the database's rows, and over them the edits that it does not have yet; a
    write goes to the durable Redis, and from there in sets to the database."""

    def put(self, changes: Sequence[Change], *, by: str = "") -> list[Version | Refused]:
        """Takes ``changes``, so that every reader sees them from now on; returns for each its
        version, or why it was not taken (the caller then writes it to the database)."""
        buffer = self.resource.buffer
        with self.writing(buffer.alias, [one.key for one in changes]):
            return write_behind.put(buffer, changes, by=by)

    def loader(self, load: Load | None) -> Load:
        return self._load_merged

    def _load_merged(self, ids: Sequence[str]) -> Mapping[str, Any]:
        """Edits first: what is flushed in between is then in the row as well."""
        try:
            pending = write_behind.pending(self.resource.buffer, ids)
        except PendingUnknown:
            return Provisional(self.resource.load(ids))
        found: dict[str, Any] = dict(self.resource.load(ids))
        for one, edits in pending.items():
            found[one] = self.resource.merge(found.get(one), edits)
        return found


KINDS = {
    Strategy.CACHE_ASIDE: CacheAside,
    Strategy.READ_THROUGH: ReadThrough,
    Strategy.WRITE_THROUGH: WriteThrough,
    Strategy.WRITE_BEHIND: WriteBehind,
}
