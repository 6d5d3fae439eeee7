"""A call that runs past its time is stopped."""

import signal
import threading
from collections.abc import Callable
from typing import TypeVar

from apps.common.databases import discard_connections

T = TypeVar("T")


class TimedOut(Exception):
    """A call ran past its time."""


class _Interrupt(KeyboardInterrupt):
    """What stops it: the driver of PostgreSQL cancels a statement under way for this one, and no
    ``except Exception`` on the way holds it up."""


def in_time(seconds: float, act: Callable[[], T]) -> T:
    """What ``act`` returns; raises ``TimedOut`` once ``seconds`` are over.

    By a signal, so in the main thread only, where workers run their tasks; elsewhere ``act`` is
    left alone and only the time-outs of databases and connections end it. The signal may come
    between any two lines, also of what begins and ends a transaction, after which a connection
    may think itself in one that never commits: all connections are replaced, and whatever was made
    of the interruption counts as the time-out.
    """
    if threading.current_thread() is not threading.main_thread():
        return act()
    over = expired = False

    def stop(signum, frame):
        nonlocal expired
        if not over:
            expired = True
            raise _Interrupt

    before = signal.signal(signal.SIGALRM, stop)
    answer = None
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            answer = act()
        finally:
            over = True
    except (_Interrupt, Exception):
        if not expired:
            raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if expired:
        discard_connections()
        raise TimedOut(f"not done within {seconds:g} s")
    return answer
