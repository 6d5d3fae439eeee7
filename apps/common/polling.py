"""Threads that look again and again, in whatever process wants them."""

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class Poller:
    """A thread that calls ``look`` every so many seconds, whatever it raises; and ``leave`` once,
    at its end."""

    def __init__(
        self,
        name: str,
        look: Callable[[], None],
        every: float,
        leave: Callable[[], None] = lambda: None,
    ):
        self._look, self._every, self._leave = look, every, leave
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; waits until it has."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self._look()
            except Exception:  # nobody would begin this thread again
                log.exception("poll_failed", poller=self._thread.name)
        self._leave()
