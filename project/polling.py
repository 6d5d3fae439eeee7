"""The pollers of sagas and of edits that wait, as parts of each Celery worker."""

from celery import bootsteps

from apps.caching.write_behind.polling import Poller as EditPoller
from apps.sagas.polling import Poller


class SagaPolling(bootsteps.StartStopStep):
    """Runs in the worker's own process, also while it has no broker or its pool is busy."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker, **kwargs):
        super().__init__(worker, **kwargs)
        self._poller = Poller()

    def start(self, worker) -> None:
        self._poller.start()

    def stop(self, worker) -> None:
        self._poller.stop()

    terminate = stop


class WriteBehindPolling(bootsteps.StartStopStep):
    """Looks for edits that wait in the durable Redis, in the same way."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker, **kwargs):
        super().__init__(worker, **kwargs)
        self._poller = EditPoller()

    def start(self, worker) -> None:
        self._poller.start()

    def stop(self, worker) -> None:
        self._poller.stop()

    terminate = stop
