"""Phase two that could not be done: tried again by a thread until Redis is back.

Only a shortcut: what it stands for is a writer's entry that ends by itself, or a note in the
database. So it may end with its process, and forget the oldest of very many.
"""

import os
import threading
from collections import deque
from collections.abc import Sequence

import structlog

from apps.caching.keys import Key
from apps.caching.shards import shards

log = structlog.get_logger(__name__)
EVERY_SECONDS = 0.1
MOST = 10_000  # calls


class Retries:
    """What is to be done once Redis answers, and the thread that lives while there is some."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Sequence[Key], str]] = deque(maxlen=MOST)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()
        self._idle.set()

    def add(self, keys: Sequence[Key], token: str) -> None:
        """``keys`` are to be ended for ``token``."""
        with self._lock:
            self._waiting.append((keys, token))
            self._idle.clear()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="cache-retry", daemon=True)
                self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether nothing waits any more, after at most so long."""
        return self._idle.wait(seconds)

    def __len__(self) -> int:
        return len(self._waiting)

    def _run(self) -> None:
        pause = threading.Event()
        try:
            while self._work():
                pause.wait(EVERY_SECONDS)
        finally:
            with self._lock:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _work(self) -> bool:
        """Tries all that waits; whether the thread is to go on."""
        for _ in range(len(self._waiting)):
            keys, token = self._waiting[0]
            missed = shards().end_anyway(keys, token)
            with self._lock:
                if self._waiting and self._waiting[0] == (keys, token):
                    self._waiting.popleft()
                if missed:
                    self._waiting.append((missed, token))
                    return True
        with self._lock:
            if self._waiting:
                return True
            self._thread = None
            self._idle.set()
            return False


_retries = Retries()


def add(keys: Sequence[Key], token: str) -> None:
    """Has ``keys`` ended for ``token`` as soon as Redis is back."""
    _retries.add(keys, token)


def waiting() -> int:
    """How many calls wait."""
    return len(_retries)


def wait(seconds: float) -> bool:
    """Whether nothing waits any more, after at most so long."""
    return _retries.wait(seconds)


def _forked() -> None:
    """The parent's thread is not here, and its lock may be held for ever."""
    global _retries
    _retries = Retries()


os.register_at_fork(after_in_child=_forked)
