"""The threads that look by themselves, as parts of each Celery worker: for runs of sagas that are
due, for edits that wait, for carts whose holds are over."""

from collections.abc import Callable
from typing import Any, ClassVar

from celery import bootsteps

from apps.caching.write_behind import polling as edits
from apps.orders.cart.listener import HoldListener
from apps.sagas import polling as sagas


class _Thread(bootsteps.StartStopStep):
    """Runs in the worker's own process, also while it has no broker or its pool is busy."""

    abstract = True
    requires = ("celery.worker.components:Pool",)
    made_by: ClassVar[Callable[[], Any]]

    def __init__(self, worker, **kwargs):
        super().__init__(worker, **kwargs)
        self._thread = type(self).made_by()

    def start(self, worker) -> None:
        self._thread.start()

    def stop(self, worker) -> None:
        self._thread.stop()

    terminate = stop


class SagaPolling(_Thread):
    made_by = staticmethod(sagas.poller)


class WriteBehindPolling(_Thread):
    made_by = staticmethod(edits.poller)


class HoldListening(_Thread):
    made_by = staticmethod(HoldListener)
