"""The listener for carts' holds that are over, as a part of each Celery worker."""

from celery import bootsteps

from apps.orders.cart.listener import HoldListener


class HoldListening(bootsteps.StartStopStep):
    """Runs in the worker's own process, also while it has no broker or its pool is busy."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker, **kwargs):
        super().__init__(worker, **kwargs)
        self._listener = HoldListener()

    def start(self, worker) -> None:
        self._listener.start()

    def stop(self, worker) -> None:
        self._listener.stop()

    terminate = stop
