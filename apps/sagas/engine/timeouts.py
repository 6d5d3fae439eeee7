"""Start-to-close: a participant that runs past its time is stopped."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class StepTimeout(Exception):
    """A participant ran past its start-to-close."""


class _Interrupt(KeyboardInterrupt):
    """What stops it: the driver of PostgreSQL cancels a statement under way for this one, and no
    ``except Exception`` of a participant holds it up."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises ``StepTimeout`` inside the block once ``seconds`` are over.

    By a signal, so in the main thread only, where workers run their tasks; elsewhere the block is
    left alone and only the time-outs of databases and connections end it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum, frame):
        raise _Interrupt

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _Interrupt:
        raise StepTimeout(f"not done within {seconds:g} s") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
