"""The relay: a lane for each database, so that none waits for another's."""

import threading
from collections.abc import Callable

from django.conf import settings

from apps.messaging.brokers.base import Broker
from apps.messaging.brokers.choose import broker as chosen_broker
from apps.messaging.relay.lane import Lane

JOIN_SECONDS = 15.0


class Relay:
    """Carries the outbox of every database to the broker, in threads of its own."""

    def __init__(self, broker: Callable[[], Broker] = chosen_broker):
        self._stop = threading.Event()
        self.lanes = [
            Lane(alias, broker, self._stop, tends=number == 0)
            for number, alias in enumerate(settings.DATABASES)
        ]
        self._threads = [
            threading.Thread(target=lane.run, name=f"relay-{lane.alias}", daemon=True)
            for lane in self.lanes
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def alive(self) -> bool:
        """Whether every lane is at work, be it waiting for what is away."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Finishes the batches in hand and leaves; waits until that is done."""
        self._stop.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)


def empty(broker: Callable[[], Broker] = chosen_broker) -> int:
    """Publishes what is due in every database now; how many events. A database whose lease
    another relay has is left to it. Raises ``BrokerDown`` or ``DatabaseError``."""
    count = 0
    for alias in settings.DATABASES:
        lane = Lane(alias, broker, threading.Event())
        try:
            while found := lane.step():
                count += found
        finally:
            lane.close()
    return count
