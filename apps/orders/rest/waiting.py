"""``Prefer: wait=N``: holding the answer until the saga has ended."""

import threading
import time
from uuid import UUID

from apps.sagas import facade as sagas

LOOK_EVERY = 0.05  # seconds
ENDED = frozenset({"completed", "compensated", "failed"})
# Who waits holds a thread and a connection: half a web process's are for those who do not.
seats = threading.BoundedSemaphore(4)


def wait_for_end(saga_id: UUID, seconds: int) -> bool:
    """Whether the run ended within ``seconds``; no, and at once, where all seats are taken."""
    if not seats.acquire(blocking=False):
        return False
    try:
        return _wait(saga_id, seconds)
    finally:
        seats.release()


def _wait(saga_id: UUID, seconds: int) -> bool:
    end = time.monotonic() + seconds
    while sagas.run_status(saga_id) not in ENDED:
        if time.monotonic() >= end:
            return False
        time.sleep(LOOK_EVERY)
    return True
