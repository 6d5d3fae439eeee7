"""A bounded cache in this process's memory that serves only what was confirmed a moment ago."""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cachetools import Cache, FIFOCache, LFUCache, LRUCache

from apps.caching.keys import Key
from apps.caching.policies import Eviction, Local

KINDS: dict[Eviction, type[Cache]] = {
    Eviction.LRU: LRUCache,
    Eviction.LFU: LFUCache,
    Eviction.FIFO: FIFOCache,
}
NEVER = float("-inf")


@dataclass(slots=True)
class Proof:
    """Until when (``time.monotonic``) it is certain that changes of a Redis are heard of."""

    until: float = NEVER


@dataclass(slots=True, eq=False)
class Entry:
    """A copy of what Redis held under ``redis_key``; ``until`` when it may be served as such."""

    value: Any
    stamp: bytes
    size: int
    redis_key: str
    proof: Proof
    until: float
    asked: float  # when somebody wanted it last


@dataclass(slots=True)
class Statistics:
    """Counts since the process began; ``entries`` and ``bytes`` are what is kept now."""

    hits: int = 0
    misses: int = 0
    expired: int = 0  # kept, but not confirmed in time: a miss as well
    filled: int = 0
    overtaken: int = 0  # not kept, since a change came in between
    evicted: int = 0
    invalidated: int = 0  # by a push
    refuted: int = 0  # by its stamp
    emptied: int = 0  # times that everything went
    entries: int = 0
    bytes: int = 0


class LocalCache:
    """Entries by ``Key.name``, bounded by entries and by the bytes their fillers state.

    To fill it: ``begin`` before Redis is asked, then ``complete`` with what Redis held, or
    ``abandon``. A change pushed in between wins: ``complete`` then keeps nothing.
    """

    def __init__(self, policy: Local):
        self._policy = policy
        self.reset()

    def reset(self) -> None:
        """As new, locks included: for a process that was forked."""
        self._lock = threading.Lock()
        self._counts = Statistics()
        self._fresh()

    def _fresh(self) -> None:
        most = int(self._policy.megabytes * 1024 * 1024)
        self._entries = KINDS[self._policy.eviction](most, getsizeof=_size)
        self._awaited: dict[str, set[object]] = {}

    def get(self, name: str) -> Any | None:
        """The value, if Redis was seen to hold it within ``Local.seconds``; else None."""
        now = time.monotonic()
        with self._lock:
            try:
                entry = self._entries[name]
            except KeyError:
                self._counts.misses += 1
                return None
            if now >= entry.until or now >= entry.proof.until:
                self._counts.misses += 1
                self._counts.expired += 1
                return None
            entry.asked = now
            self._counts.hits += 1
            return entry.value

    def begin(self, name: str) -> object:
        """A place for what Redis is about to be asked for."""
        place = (time.monotonic(), object())
        with self._lock:
            self._awaited.setdefault(name, set()).add(place)
        return place

    def complete(
        self, key: Key, place: object, value: Any, *, stamp: bytes, size: int, proof: Proof
    ) -> bool:
        """Keeps what Redis held; False where a change or another filler came first."""
        name = key.name
        with self._lock:
            if place not in self._awaited.pop(name, ()):
                self._counts.overtaken += 1
                return False
            until = place[0] + self._policy.seconds
            entry = Entry(value, stamp, size, key.value, proof, until, asked=place[0])
            if self._policy.entries < 1 or size > self._entries.maxsize:
                return False
            before = len(self._entries) + (name not in self._entries)
            while len(self._entries) >= self._policy.entries and name not in self._entries:
                self._entries.popitem()
            self._entries[name] = entry
            self._counts.evicted += before - len(self._entries)
            self._counts.filled += 1
            return True

    def abandon(self, key: Key, place: object) -> None:
        """Gives up a place; without effect after ``complete``."""
        with self._lock:
            places = self._awaited.get(key.name)
            if places is None:
                return
            places.discard(place)
            if not places:
                del self._awaited[key.name]

    def drop(self, names: Iterable[str]) -> None:
        """Forgets what was changed, and what is on its way here."""
        with self._lock:
            for name in names:
                self._awaited.pop(name, None)
                if self._entries.pop(name, None) is not None:
                    self._counts.invalidated += 1

    def clear(self) -> None:
        """Forgets everything: changes may have been missed."""
        with self._lock:
            self._fresh()
            self._counts.emptied += 1

    def wanted(self, proof: Proof, since: float) -> list[tuple[str, Entry]]:
        """What was asked for ``since`` then, on the Redis of ``proof``."""
        with self._lock:
            return [
                (name, entry)
                for name, entry in self._entries.items()
                if entry.asked >= since and entry.proof is proof
            ]

    def confirm(
        self, asked: Sequence[tuple[str, Entry]], stamps: Sequence[bytes | None], began: float
    ) -> None:
        """Prolongs the entries whose stamp Redis still had after ``began``; drops the others."""
        with self._lock:
            for (name, entry), stamp in zip(asked, stamps, strict=True):
                if stamp == entry.stamp:
                    entry.until = began + self._policy.seconds
                elif name in self._entries and Cache.__getitem__(self._entries, name) is entry:
                    del self._entries[name]
                    self._counts.refuted += 1

    def statistics(self) -> Statistics:
        with self._lock:
            self._counts.entries = len(self._entries)
            self._counts.bytes = int(self._entries.currsize)
            names = Statistics.__dataclass_fields__
            return Statistics(**{name: getattr(self._counts, name) for name in names})


def _size(entry: Entry) -> int:
    return entry.size
