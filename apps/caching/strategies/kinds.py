"""The four strategies: who loads on a miss, and what a write does to the cache."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apps.caching.policies import Strategy
from apps.caching.strategies.base import CacheStrategy
from apps.caching.strategies.reading import Load

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
    """What is read are the database's rows, and over them the edits that it does not have yet.

    Those are made and flushed by ``apps.caching.write_behind``; each drops the value.
    """

    def loader(self, load: Load | None) -> Load:
        if self.resource.pending is None or self.resource.merge is None:
            return self.resource.load
        return self._load_merged

    def _load_merged(self, ids: Sequence[str]) -> Mapping[str, Any]:
        """Edits first: what is flushed in between is then in the row as well."""
        pending = self.resource.pending(ids)
        found = dict(self.resource.load(ids))
        for one, edits in pending.items():
            found[one] = self.resource.merge(found.get(one), edits)
        return {one: value for one, value in found.items() if value is not None}


KINDS = {
    Strategy.CACHE_ASIDE: CacheAside,
    Strategy.READ_THROUGH: ReadThrough,
    Strategy.WRITE_THROUGH: WriteThrough,
    Strategy.WRITE_BEHIND: WriteBehind,
}
