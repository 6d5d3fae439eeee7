"""A child process for each consumer, forked from one that has loaded everything already."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from django.db import connections

log = structlog.get_logger(__name__)
FIRST_DELAY, LONGEST_DELAY = 0.5, 15.0  # seconds before a child that ended is replaced
STEADY_SECONDS = 30.0  # one that lived so long is replaced after the first delay again
PATIENCE = 30.0  # seconds that children get to finish what they have in hand
NAP = 0.1


@dataclass
class _Child:
    name: str
    work: Callable[[], None]
    pid: int = 0
    started: float = 0.0
    deaths: int = 0  # in a row
    start_at: float = 0.0


class Children:
    """Keeps one process for each name running ``work``, until ``stopping``."""

    def __init__(
        self,
        works: Sequence[tuple[str, Callable[[], None]]],
        *,
        stopping: Callable[[], bool],
        at_birth: Callable[[], None] | None = None,
    ):
        """``at_birth`` is called first thing in each child."""
        self._children = [_Child(name, work) for name, work in works]
        self._stopping, self._at_birth = stopping, at_birth

    def run(self) -> None:
        while not self._stopping():
            for child in self._children:
                if not child.pid and time.monotonic() >= child.start_at:
                    self._start(child)
            self._reap()
            time.sleep(NAP)
        self._end()

    def _start(self, child: _Child) -> None:
        connections.close_all()  # none is shared with a child
        pid = os.fork()
        if pid:
            child.pid, child.started = pid, time.monotonic()
            return
        code = 1
        try:
            if self._at_birth is not None:
                self._at_birth()
            child.work()
            code = 0
        except Exception:
            log.exception("consume.child_failed", child=child.name)
        finally:
            os._exit(code)

    def _reap(self) -> None:
        for child in self._children:
            if not child.pid:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                self._buried(child, os.waitstatus_to_exitcode(status))

    def _buried(self, child: _Child, code: int) -> None:
        lived = time.monotonic() - child.started
        child.deaths = 0 if lived > STEADY_SECONDS else child.deaths + 1
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(max(child.deaths - 1, 0), 10))
        child.pid, child.start_at = 0, time.monotonic() + delay
        if not self._stopping():
            log.error("consume.child_ended", child=child.name, code=code, again_in=delay)

    def _end(self) -> None:
        """Lets each finish; who does not is killed."""
        self._signal(signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        while any(child.pid for child in self._children) and time.monotonic() < until:
            self._reap()
            time.sleep(NAP)
        self._signal(signal.SIGKILL)
        for child in self._children:
            if child.pid:
                os.waitpid(child.pid, 0)

    def _signal(self, number: int) -> None:
        for child in self._children:
            if child.pid:
                os.kill(child.pid, number)
