"""``Prefer: wait=N``: holding an answer until something has happened."""

import threading
import time
from collections.abc import Callable

FIRST_LOOK, LONGEST_NAP = 0.01, 0.1  # seconds; naps grow by half each time
# Who waits holds a thread and a connection: half a web process's are for those who do not.
seats = threading.BoundedSemaphore(4)


def wait_until(done: Callable[[], bool], seconds: float) -> bool:
    """Whether ``done()`` became true within ``seconds``; no, and at once, where all seats are
    taken."""
    if not seats.acquire(blocking=False):
        return False
    try:
        return _wait(done, seconds)
    finally:
        seats.release()


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    end, nap = time.monotonic() + seconds, FIRST_LOOK
    while not done():
        left = end - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(nap, left))
        nap = min(nap * 1.5, LONGEST_NAP)
    return True
