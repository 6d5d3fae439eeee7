"""Waits until the sagas of the placed orders have ended."""

import time
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from apps.common.progress import Progress
from apps.orders.replay import selectors
from apps.orders.workflows.checkout import KIND as CHECKOUT
from apps.payments import facade as payments

CHUNK = 500
POLL_SECONDS = 0.25
STALL_SECONDS = 60.0


class NothingMoves(Exception):
    """No saga has ended for a while: whoever should drive them does not run."""


def await_sagas(
    keys: Sequence[UUID],
    progress: Progress,
    *,
    kind: str = CHECKOUT,
    phase: str = "Sagas",
    patience: float = STALL_SECONDS,
) -> Counter[str]:
    """How many sagas of ``kind`` ended in which status, once all have.

    ``keys``, the orders or returns, in the order of acceptance, which is that of the engine: only
    the oldest are asked for again and again. Raises ``NothingMoves`` after ``patience`` seconds in
    which none ended.
    """
    progress.begin(phase, len(keys))
    ended: Counter[str] = Counter()
    waiting = list(keys)
    moved = time.monotonic()
    while True:
        waiting, fresh = _sweep(waiting, kind)
        if fresh:
            ended += fresh
            moved = time.monotonic()
            progress.reach(ended.total())
        if not waiting:
            return ended
        if time.monotonic() - moved > patience:
            raise NothingMoves(
                f"no saga has ended for {patience:.0f} s and {len(waiting):,} wait:"
                f" {_suspect()} Start the shop with `make up`, then run this again; nothing is"
                " placed twice"
            )
        time.sleep(POLL_SECONDS)


def _suspect() -> str:
    if not payments.gateway_answers():
        return "the payment gateway does not answer."
    return "the gateway answers, but does a worker run?"


def _sweep(waiting: list[UUID], kind: str) -> tuple[list[UUID], Counter[str]]:
    """Asks for the oldest that wait, and for more as long as most of them have ended."""
    fresh: Counter[str] = Counter()
    left: list[UUID] = []
    for start in range(0, len(waiting), CHUNK):
        chunk = waiting[start : start + CHUNK]
        ended = selectors.ended_sagas(chunk, kind)
        fresh.update(ended.values())
        left += [key for key in chunk if key not in ended]
        if len(ended) * 2 < len(chunk):
            return left + waiting[start + CHUNK :], fresh
    return left, fresh
