"""The engine's poller as a part of each Celery worker."""

from celery import bootsteps

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
