"""A circuit breaker for calls made by many threads at once.

``pybreaker`` holds its lock during the call, so that calls take turns; this one decides under a
lock and calls outside it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class BreakerOpen(Exception):
    """Too many calls failed lately: nothing was called."""


class Breaker:
    """Opens after ``failures`` failed calls in a row; ``seconds`` later one probe may pass.

    ``counted`` are the exceptions that mean the other side does not answer; any other outcome
    proves that it does.
    """

    def __init__(
        self,
        *,
        failures: int,
        seconds: float,
        counted: tuple[type[Exception], ...],
        clock: Callable[[], float] = time.monotonic,
    ):
        self._failures, self._seconds, self._counted = failures, seconds, counted
        self._clock = clock
        self._lock = threading.Lock()
        self._failed_in_a_row = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around one call; raises ``BreakerOpen`` instead of letting it happen."""
        probe = self._admit()
        try:
            yield
        except self._counted:
            self._note_failure(probe)
            raise
        else:
            self._note_success()
        finally:
            if probe:
                self._probing = False

    def _admit(self) -> bool:
        """Whether this call is the probe."""
        with self._lock:
            if self._opened_at is None:
                return False
            if self._probing or self._clock() - self._opened_at < self._seconds:
                raise BreakerOpen()
            self._probing = True
            return True

    def _note_failure(self, probe: bool) -> None:
        with self._lock:
            self._failed_in_a_row += 1
            opens = self._opened_at is None and self._failed_in_a_row >= self._failures
            if probe or opens:
                self._opened_at = self._clock()

    def _note_success(self) -> None:
        with self._lock:
            self._failed_in_a_row = 0
            self._opened_at = None
