"""Looks by itself for edits that wait, in a thread of each worker: what nobody was told of, and
what a worker that died has left, is found here, whether or not beat runs."""

import threading

import structlog

from apps.caching.write_behind.connections import client
from apps.caching.write_behind.contracts import PendingUnknown
from apps.caching.write_behind.layout import NUDGED_MS, nudged
from apps.caching.write_behind.nudge import nudge
from apps.caching.write_behind.reading import dirty_shards
from apps.caching.write_behind.registry import all_buffers

log = structlog.get_logger(__name__)
EVERY_SECONDS = 1.0


class Poller:
    """One thread that nudges for each shard with something pending. It never flushes itself."""

    def __init__(self, every: float = EVERY_SECONDS):
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="write-behind-poller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; waits until it has."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self.look()

    def look(self) -> None:
        """Once."""
        try:
            for buffer in all_buffers():
                for shard in dirty_shards(buffer):
                    if client().set(nudged(buffer, shard), 1, nx=True, px=NUDGED_MS):
                        nudge(buffer.name, shard)
        except PendingUnknown as error:
            log.warning("write_behind.poll_failed", error=str(error))
        except Exception:  # nobody would begin this thread again
            log.exception("write_behind.poll_failed")
