"""``Prefer: wait=N``: holding the answer until the saga has ended."""

import time
from uuid import UUID

from apps.sagas import facade as sagas

LOOK_EVERY = 0.05  # seconds
ENDED = frozenset({"completed", "compensated", "failed"})


def wait_for_end(saga_id: UUID, seconds: int) -> bool:
    """Whether the run ended within ``seconds``."""
    end = time.monotonic() + seconds
    while sagas.run_status(saga_id) not in ENDED:
        if time.monotonic() >= end:
            return False
        time.sleep(LOOK_EVERY)
    return True
