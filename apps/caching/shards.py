"""One Redis or several: which of them keeps a key, and what happens while one does not answer.

Consistent hashing (Karger et al., 1997) by the key's hash tag, so that all of a key's names are on
one shard and each script runs on one. Every shard has its own breaker: one that is away costs a
caller one time-out a second, and its keys alone are not cached.
"""

import bisect
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar
from urllib.parse import urlsplit

import structlog
from django.conf import settings

from apps.caching import connections
from apps.caching.fence import GONE, Fence, Look
from apps.caching.keys import Key
from apps.caching.resources import Fields
from apps.common.breaker import Breaker, BreakerOpen

log = structlog.get_logger(__name__)
T = TypeVar("T")
OPEN_SECONDS = 1.0
POINTS = 160  # of each shard on the ring: loads differ by some 10 %
AT_ONCE = 500  # keys of one script call, so that nobody waits for Redis for long


class Unreachable(Exception):
    """A shard does not answer, or is not asked for the moment."""


class Shard:
    """One Redis behind its breaker."""

    def __init__(self, url: str):
        self.name = _place(url)
        self.fence = Fence(connections.client_of(url))
        self._breaker = Breaker(failures=1, seconds=OPEN_SECONDS, counted=connections.AWAY)

    @property
    def is_away(self) -> bool:
        """Whether it is not even asked."""
        return self._breaker.is_open

    def run(self, move: Callable[..., T], *args: object) -> T:
        """``move(*args)``; raises ``Unreachable``."""
        try:
            with self._breaker.call():
                return move(*args)
        except BreakerOpen as error:
            raise Unreachable(self.name) from error
        except connections.AWAY as error:
            log.warning("cache.away", shard=self.name, error=f"{type(error).__name__}: {error}")
            raise Unreachable(self.name) from error


class Shards:
    """The moves of ``Fence`` on the shards that keep the keys. None raises where one is away."""

    def __init__(self, urls: Sequence[str]):
        self.all = [Shard(url) for url in urls]
        ring = [(_hash(f"{one.name}#{n}"), one) for one in self.all for n in range(POINTS)]
        ring.sort(key=lambda point: point[0])
        self._points = [point for point, _ in ring]
        self._owners = [one for _, one in ring]

    def of(self, key: Key) -> Shard:
        if len(self.all) == 1:
            return self.all[0]
        at = bisect.bisect(self._points, _hash(key.name))
        return self._owners[at % len(self._owners)]

    def look(self, keys: Sequence[Key], token: str, tags: Sequence[Key] = ()) -> list[Look]:
        """Of the keys, then of the tags; ``GONE`` where the shard is away."""
        if len(self.all) == 1 and len(keys) <= AT_ONCE:
            return self._look(self.all[0], keys, token, tags)
        found: dict[Key, Look] = {}
        for shard, part in self._parts(keys):
            found |= zip(part, self._look(shard, part, token, ()), strict=True)
        for shard, part in self._parts(tags):
            found |= zip(part, self._look(shard, (), token, part), strict=True)
        return [found[key] for key in (*keys, *tags)]

    def _look(self, shard: Shard, keys: Sequence[Key], token: str, tags: Sequence[Key]):
        try:
            return shard.run(shard.fence.look, keys, token, tags)
        except Unreachable:
            return [GONE] * (len(keys) + len(tags))

    def lease(self, key: Key, token: str) -> Look:
        shard = self.of(key)
        try:
            return shard.run(shard.fence.lease, key, token)
        except Unreachable:
            return GONE

    def fill(self, values: Mapping[Key, tuple[int, Fields]], token: str) -> list[Key]:
        """Those that were kept."""
        kept: list[Key] = []
        for shard, part in self._parts(list(values)):
            try:
                done = shard.run(shard.fence.fill, {key: values[key] for key in part}, token)
            except Unreachable:
                continue
            kept += [key for key, filled in zip(part, done, strict=True) if filled]
        return kept

    def release(self, keys: Sequence[Key], token: str) -> None:
        for shard, part in self._parts(keys):
            try:
                shard.run(shard.fence.release, part, token)
            except Unreachable:
                continue  # the leases end by themselves

    def begin(self, keys: Sequence[Key], token: str) -> list[Key]:
        """Phase one; returns the keys for which it could not be done."""
        return self._tell(keys, lambda shard, part: shard.run(shard.fence.begin, part, token))

    def end(self, keys: Sequence[Key], token: str) -> list[Key]:
        """Phase two; returns the keys for which it could not be done."""
        return self._tell(keys, lambda shard, part: shard.run(shard.fence.end, part, token))

    def end_anyway(self, keys: Sequence[Key], token: str) -> list[Key]:
        """As ``end``, but also asks a shard that others leave alone for the moment."""

        def tell(shard: Shard, part: Sequence[Key]) -> None:
            try:
                shard.fence.end(part, token)
            except connections.AWAY as error:
                raise Unreachable(shard.name) from error

        return self._tell(keys, tell)

    def _tell(
        self, keys: Sequence[Key], tell: Callable[[Shard, Sequence[Key]], object]
    ) -> list[Key]:
        missed: list[Key] = []
        for shard, part in self._parts(keys):
            try:
                tell(shard, part)
            except Unreachable:
                missed += part
        return missed

    def _parts(self, keys: Sequence[Key]) -> list[tuple[Shard, list[Key]]]:
        """The keys by shard, so many as one call takes."""
        by_shard: dict[Shard, list[Key]] = {}
        for key in keys:
            by_shard.setdefault(self.of(key), []).append(key)
        return [
            (shard, part[start : start + AT_ONCE])
            for shard, part in by_shard.items()
            for start in range(0, len(part), AT_ONCE)
        ]


def shards() -> Shards:
    """Those of ``CACHE_URL``."""
    return _shards(settings.CACHE_URL, settings.CACHE_TIMEOUT_SECONDS)


@lru_cache(maxsize=16)
def _shards(urls: str, seconds: float) -> Shards:
    return Shards(urls.split(","))


# A fork may have happened under a lock, or in the middle of a probe.
os.register_at_fork(after_in_child=_shards.cache_clear)


def _place(url: str) -> str:
    """What tells a shard from the others, without its credentials."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''}:{parts.port or ''}{parts.path}?{parts.query}"


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
