"""Wakes a worker for a shard. Only a hint: what nobody is told of, the poller finds.

Sent from a thread of its own, so that nobody waits for the broker; Redis says (``scripts.PUT``)
where a worker is on its way already.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from apps.caching.write_behind import layout
from apps.caching.write_behind.connections import client
from apps.caching.write_behind.registry import find_buffer

log = structlog.get_logger(__name__)
TASK = "apps.caching.tasks.flush_shard"


class Publisher:
    """One thread that sends one message per shard for any number of nudges."""

    def __init__(self):
        self._lock = threading.Lock()
        self._waiting: set[tuple[str, int]] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="write-behind")

    def nudge(self, buffer: str, shard: int) -> None:
        with self._lock:
            if (buffer, shard) in self._waiting:
                return
            self._waiting.add((buffer, shard))
        try:
            self._thread.submit(self._send, buffer, shard)
        except RuntimeError as error:  # no thread to be had, or the process is ending
            self._waiting.discard((buffer, shard))
            log.warning("write_behind.nudge_lost", error=str(error))

    def _send(self, buffer: str, shard: int) -> None:
        with self._lock:
            self._waiting.discard((buffer, shard))
        try:
            current_app.send_task(TASK, args=[buffer, shard], retry=False, ignore_result=True)
        except (OperationalError, OSError) as error:
            log.warning("write_behind.nudge_lost", error=str(error))


_publisher = Publisher()


def _renew() -> None:
    global _publisher
    _publisher = Publisher()


os.register_at_fork(after_in_child=_renew)  # threads do not survive a fork


def nudge(buffer: str, shard: int) -> None:
    """Sends a message, soon."""
    _publisher.nudge(buffer, shard)


def take_up(buffer: str, shard: int) -> None:
    """Called by a worker before it looks for the last time: what comes from now on nudges anew.
    Raises ``AWAY``."""
    client().delete(layout.nudged(find_buffer(buffer), shard))


def stay_up(buffer: str, shard: int) -> None:
    """Called by a worker that goes on: what comes meanwhile it will find. Raises ``AWAY``."""
    client().set(layout.nudged(find_buffer(buffer), shard), 1, px=layout.NUDGED_MS)
