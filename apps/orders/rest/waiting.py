"""``Prefer: wait=N``: holding the answer until the saga has ended."""

from uuid import UUID

from apps.common.rest.waiting import wait_until
from apps.sagas import facade as sagas

ENDED = frozenset({"completed", "compensated", "failed"})


def wait_for_end(saga_id: UUID, seconds: int) -> bool:
    """Whether the run ended within ``seconds``; no, and at once, where all seats are taken."""
    return wait_until(lambda: sagas.run_status(saga_id) in ENDED, seconds)
