"""Engines in threads of their own, on a saga whose effects can be counted."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connections, transaction

from apps.sagas import definition, facade
from apps.sagas.contracts import Outcome
from apps.sagas.definition import Participant, Saga, Step
from apps.sagas.engine.driver import drive_batch
from apps.sagas.retry import RetryPolicy

KIND = "counted"
NO_WAIT = RetryPolicy(max_attempts=3, base=0.0, cap=0.0, schedule_to_close=60)


class Counted:
    """Three steps: remote, remote, local. Every effect is noted by its key."""

    def __init__(self):
        self._lock = threading.Lock()
        self.effects: Counter[str] = Counter()
        self.answer: Callable[[str], Outcome] = lambda name: Outcome.success()

    def saga(self) -> Saga:
        steps = (("first", False), ("second", False), ("third", True))
        return Saga(KIND, 1, tuple(Step(*self._step(*one), retry=NO_WAIT) for one in steps))

    def _step(self, name: str, local: bool) -> tuple[str, Participant]:
        def execute(calls):
            with self._lock:
                self.effects.update(call.key for call in calls)
            return [self.answer(name) for _ in calls]

        return name, Participant(execute, local=local)


@contextmanager
def counted() -> Iterator[Counted]:
    """The saga, registered for as long as the block lasts."""
    one = Counted()
    definition.register(one.saga())
    yield one
    definition._registry.pop((KIND, 1))


def start(number: int) -> None:
    """Starts so many runs of it."""
    with transaction.atomic(using="orders"):
        for n in range(number):
            facade.start(kind=KIND, version=1, business_key=str(n))


def drain() -> int:
    """Drives until nothing is due; returns how many runs were claimed."""
    claimed = 0
    while count := drive_batch():
        claimed += count
    return claimed


@contextmanager
def threads(number: int) -> Iterator[Callable[[Callable], Future]]:
    """Submits work to threads that close their connections after it."""

    def closing(work: Callable):
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as pool:
        yield lambda work: pool.submit(closing, work)
