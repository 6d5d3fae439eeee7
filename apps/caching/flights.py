"""One load at a time: who asks for what is being loaded gets it without loading it too.

A reader may only be given a value that was read after the reader came, or of which it is certain
that nobody has changed it since. ``Flights`` is for loads under a lease: Redis said to whoever
joins that the lease still stands, and every writer would have taken it away. ``Turns`` is for loads
without one: whoever comes while one is under way joins the next.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Flight:
    """One load under a lease; ``values`` by id once it has landed (None if it failed), read under
    the generations ``tags``."""

    __slots__ = ("done", "tags", "values")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.values: Mapping[str, Any | None] | None = None
        self.tags: bytes | None = None


class Flights:
    """The loads under way in this process, by the token of their lease."""

    def __init__(self) -> None:
        self._under_way: dict[str, Flight] = {}

    @contextmanager
    def flight(self, token: str) -> Iterator[Flight]:
        """Around the load of what ``token`` has leased."""
        flight = self._under_way[token] = Flight()
        try:
            yield flight
        finally:
            del self._under_way[token]
            flight.done.set()

    def find(self, token: str) -> Flight | None:
        return self._under_way.get(token)


class Turn:
    """A load that has not begun while it can be found."""

    __slots__ = ("before", "done", "failed", "value")

    def __init__(self, before: "Turn | None"):
        self.before, self.done = before, threading.Event()
        self.failed, self.value = True, None


class Turns:
    """Loads of the same id one after the other, each for all who came before it began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Turn] = {}
        self._next: dict[str, Turn] = {}

    def load(self, one: str, load: Callable[[], Any], wait: float) -> Any:
        """``load()``, or what it gave to somebody who called it after this call; whoever waits for
        longer than ``wait`` seconds calls it on its own."""
        with self._lock:
            turn = self._next.get(one)
            first = turn is None
            if turn is None:
                turn = self._next[one] = Turn(self._running.get(one))
        if first:
            return self._lead(one, turn, load, wait)
        if turn.done.wait(2 * wait) and not turn.failed:
            return turn.value
        return load()

    def _lead(self, one: str, turn: Turn, load: Callable[[], Any], wait: float) -> Any:
        if turn.before is not None:
            turn.before.done.wait(wait)
            turn.before = None
        with self._lock:
            if self._next.get(one) is turn:
                del self._next[one]
            self._running[one] = turn
        try:
            turn.value = load()
            turn.failed = False
            return turn.value
        finally:
            with self._lock:
                if self._running.get(one) is turn:
                    del self._running[one]
            turn.done.set()
