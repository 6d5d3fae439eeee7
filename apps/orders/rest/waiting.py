"""``Prefer: wait=N``: holding the answer until the saga has ended."""

import threading
import time
from uuid import UUID

from apps.sagas import facade as sagas

FIRST_LOOK, LONGEST_NAP = 0.01, 0.1  # seconds; naps grow by half each time
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
    end, nap = time.monotonic() + seconds, FIRST_LOOK
    while sagas.run_status(saga_id) not in ENDED:
        left = end - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(nap, left))
        nap = min(nap * 1.5, LONGEST_NAP)
    return True
