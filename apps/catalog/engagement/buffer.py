"""A bounded buffer in front of Redis: whoever records pays for an append and nothing else."""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.util import Finalize
from typing import Any

import structlog

log = structlog.get_logger(__name__)
EVERY = 0.5  # seconds between two deliveries


class Buffer:
    """Keeps up to ``most`` items of this process until its thread gives them to ``deliver``, which
    never raises. How many came when it was full, ``refused`` is told then.

    A fork begins with an empty one, as its parent delivers what was there. What is there when the
    process ends in an orderly way is delivered; one that is killed loses it.
    """

    def __init__(
        self,
        deliver: Callable[[Sequence[Any]], None],
        refused: Callable[[int], None],
        *,
        most: int,
        every: float = EVERY,
    ):
        self._deliver, self._refused, self._every = deliver, refused, every
        self.most = most
        self._clear()
        os.register_at_fork(after_in_child=self._clear)

    def _clear(self) -> None:
        self._items: deque[Any] = deque()
        self._thread: threading.Thread | None = None
        self._starting, self._delivering = threading.Lock(), threading.Lock()
        self._counting, self._over = threading.Lock(), 0
        self._closed = threading.Event()

    def add(self, item: Any) -> None:
        """Never waits for anything."""
        if self._thread is None:
            self._start()
        items = self._items
        if len(items) < self.most:
            items.append(item)
        else:
            with self._counting:
                self._over += 1

    def __len__(self) -> int:
        return len(self._items)

    def flush(self) -> None:
        """Delivers what is there now."""
        with self._delivering:
            with self._counting:
                over, self._over = self._over, 0
            if over:
                self._refused(over)
            items = self._items
            if batch := [items.popleft() for _ in range(len(items))]:
                self._deliver(batch)

    def close(self) -> None:
        """Ends the thread and delivers what is left; for the end of the process."""
        self._closed.set()
        self.flush()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                Finalize(None, self.close, exitpriority=0)  # also where os._exit ends a fork
                thread = threading.Thread(target=self._run, name="engagement", daemon=True)
                with suppress(RuntimeError):  # the interpreter is ending: close() is what is left
                    thread.start()
                self._thread = thread

    def _run(self) -> None:
        closed = self._closed
        while not closed.wait(self._every):
            try:
                self.flush()
            except Exception:
                log.exception("engagement.deliver_failed")
