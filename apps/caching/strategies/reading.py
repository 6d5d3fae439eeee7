"""One read: a look at Redis, a load of what it does not have, a fill of what may be kept."""

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from apps.caching import scripts
from apps.caching.fence import Look, new_token
from apps.caching.flights import Flights
from apps.caching.keys import Key
from apps.caching.resources import Provisional
from apps.caching.shards import shards
from apps.caching.values import Entry, TooLarge
from apps.common.databases import in_transaction

if TYPE_CHECKING:
    from apps.caching.strategies.base import CacheStrategy

log = structlog.get_logger(__name__)
Load = Callable[[Sequence[str]], Mapping[str, Any]]
NEVER_EARLY = 40  # times the gap: no random number gets that far
FIRST_PAUSE, LONGEST_PAUSE = 0.004, 0.064  # seconds between looks for another's fill
_flights = Flights()


class Reading:
    """``found`` grows; what Redis does not have is ``leased`` to this reader, ``taken`` by another
    (with its token), or ``open``: to be loaded without keeping it.

    Inside a transaction nothing is kept or shared: what is read there may never be committed.
    """

    def __init__(self, strategy: "CacheStrategy", load: Load, tags: Sequence[Key] = ()):
        self.found: dict[str, Entry] = {}
        self._strategy, self._load, self._tags = strategy, load, tags
        self._policy, self._counts = strategy.policy, strategy.statistics
        self._shards = shards()
        self._token = new_token()
        self._generations: bytes | None = b""  # None: nothing under these tags may be kept
        self._leased: list[Key] = []
        self._early: list[Key] = []
        self._open: list[Key] = []
        self._taken: dict[Key, str] = {}

    def read(self, keys: Sequence[Key]) -> None:
        """Has every key in ``found``."""
        self._look(keys)
        if len(self.found) < len(keys):
            self._counts.misses += len(keys) - len(self.found)
            self._fetch()
            if self._taken:
                self._wait()
        if self._early:
            self._refresh()

    # --- looking ---------------------------------------------------------------------------------

    def _look(self, keys: Sequence[Key]) -> None:
        looks = self._shards.look(keys, self._token, self._tags)
        if self._tags:
            self._see_tags(looks[len(keys) :])
        for key, look in zip(keys, looks, strict=False):
            if look.state != scripts.HIT or not self._accept(key, look):
                self._sort(key, look)

    def _see_tags(self, looks: Sequence[Look]) -> None:
        if all(look.state == scripts.HIT for look in looks):
            self._generations = b" ".join([look.generation for look in looks])
        else:
            self._generations = None

    def _accept(self, key: Key, look: Look) -> bool:
        """Takes what Redis has, if it is good."""
        try:
            entry = self._strategy.form.entry(look)
        except ValueError:
            self._counts.foreign += 1
            return False
        if entry.tags != self._generations:
            return False
        if entry.value is None:
            self._counts.negative_hits += 1
        else:
            self._counts.hits += 1
        self.found[key.id] = entry
        if (
            self._is_early(entry)
            and not in_transaction()
            and self._lease(key).state == scripts.LEASED
        ):
            self._early.append(key)
        return True

    def _is_early(self, entry: Entry) -> bool:
        """Whether to load it anew before it expires (Vattani et al., VLDB 2015)."""
        gap = entry.seconds * self._policy.early
        if entry.left > gap * NEVER_EARLY or gap <= 0:
            return False
        return entry.left <= -gap * math.log(1 - random.random())  # noqa: S311

    def _sort(self, key: Key, look: Look) -> None:
        keeps = self._generations is not None and not in_transaction()
        if look.state == scripts.HIT and keeps:  # of no use: under a lease it may be replaced
            look = self._lease(key)
        if look.state == scripts.LEASED and not keeps:
            self._shards.release([key], self._token)
        if look.state == scripts.LEASED and keeps:
            self._leased.append(key)
        elif look.state == scripts.TAKEN and keeps:
            self._taken[key] = look.holder
        else:
            self._open.append(key)
            if look.state == scripts.AWAY:
                self._counts.away += 1
            else:
                self._counts.fenced += 1

    def _lease(self, key: Key) -> Look:
        return self._shards.lease(key, self._token)

    # --- loading ---------------------------------------------------------------------------------

    def _fetch(self) -> None:
        """Loads what nobody else loads, and keeps what is leased."""
        leased, opened = self._leased, self._open
        self._leased, self._open = [], []
        if leased:
            self._fetch_leased(leased, opened)
        elif len(opened) == 1 and not in_transaction():
            [key] = opened
            loaded = self._strategy.turns.load(
                key.id, lambda: self._loaded([key.id]), self._policy.wait
            )
            self.found[key.id] = Entry(loaded.get(key.id))
        elif opened:
            self._take(opened, self._loaded([key.id for key in opened]))

    def _fetch_leased(self, leased: Sequence[Key], opened: Sequence[Key]) -> None:
        began = time.perf_counter()
        try:
            with _flights.flight(self._token) as flight:
                loaded = self._loaded([key.id for key in (*leased, *opened)])
                if not isinstance(loaded, Provisional):
                    flight.values = {key.id: loaded.get(key.id) for key in leased}
                    flight.tags = self._generations
        except BaseException:
            self._shards.release(leased, self._token)
            raise
        self._take([*leased, *opened], loaded)
        if flight.values is None:
            self._shards.release(leased, self._token)
            return
        self._fill(leased, time.perf_counter() - began)

    def _loaded(self, ids: Sequence[str]) -> Mapping[str, Any]:
        self._counts.loads += 1
        self._counts.loaded += len(ids)
        return self._load(ids)

    def _take(self, keys: Sequence[Key], loaded: Mapping[str, Any]) -> None:
        for key in keys:
            self.found[key.id] = Entry(loaded.get(key.id))

    def _refresh(self) -> None:
        """Loads anew what expires soon; others are served what there is meanwhile."""
        keys, self._early = self._early, []
        try:
            self._fetch_leased(keys, [])
            self._counts.refreshed += len(keys)
        except Exception:
            log.exception("cache.not_refreshed", resource=self._strategy.resource.name)

    def _fill(self, keys: Sequence[Key], seconds: float) -> None:
        values = {}
        for key in keys:
            entry = self.found[key.id]
            try:
                fields = self._strategy.form.fields(
                    entry.value, self._token, seconds, self._generations or b""
                )
            except TooLarge:
                self._counts.oversize += 1
                continue
            values[key] = (self._milliseconds(entry.value), fields)
        if self._generations is None:
            values = {}
        if len(values) < len(keys):
            self._shards.release([key for key in keys if key not in values], self._token)
        if values:
            kept = self._shards.fill(values, self._token)
            self._counts.fills += len(kept)
            self._counts.refused += len(values) - len(kept)
            for key in kept:
                milliseconds, fields = values[key]
                self.found[key.id] = self._strategy.form.kept(
                    self.found[key.id].value, fields, milliseconds
                )

    def _milliseconds(self, value: Any | None) -> int:
        seconds = self._policy.negative_ttl if value is None else self._policy.ttl
        jitter = self._policy.jitter
        return max(1, int(1000 * seconds * (1 + random.uniform(-jitter, jitter))))  # noqa: S311

    # --- waiting ---------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Gets what others load: from their flights in this process, else from Redis once they have
        filled it; what takes too long is loaded here, and not kept."""
        self._counts.waits += 1
        end = time.monotonic() + self._policy.wait
        pause = FIRST_PAUSE
        while self._taken and (left := end - time.monotonic()) > 0:
            if self._join(left) or not self._taken:
                continue
            time.sleep(min(left, pause * random.uniform(0.5, 1.5)))  # noqa: S311
            pause = min(2 * pause, LONGEST_PAUSE)
            taken, self._taken = list(self._taken), {}
            self._look(taken)
            self._fetch()
        self._open += self._taken
        self._taken = {}
        self._fetch()

    def _join(self, seconds: float) -> bool:
        """Whether a flight of this process had some of what is taken. It may be joined: after it
        began, this reader saw its lease standing and the same tags, so nobody had changed them."""
        for holder in set(self._taken.values()):
            flight = _flights.find(holder)
            if flight is None or not flight.done.wait(seconds):
                continue
            if flight.values is None or flight.tags != self._generations:
                continue
            joined = [
                key
                for key, token in self._taken.items()
                if token == holder and key.id in flight.values
            ]
            for key in joined:
                self.found[key.id] = Entry(flight.values[key.id])
                del self._taken[key]
            self._counts.shared += len(joined)
            if joined:
                return True
        return False
