"""One connection to RabbitMQ with one channel: made when it is needed, dropped at any error."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import amqp
import kombu
from kombu.exceptions import KombuError

from apps.messaging.brokers.base import BrokerDown

CONNECT_SECONDS = 2.0
# Of one read or write of the socket, so also of any answer that is waited for.
SOCKET_SECONDS = 10.0
ERRORS = (amqp.AMQPError, KombuError, OSError)


class Link:
    """``prepare`` gets each new channel; ``generation`` counts them: delivery tags mean nothing on
    another channel. ``heartbeat`` in seconds, 0 for none. Used by one thread at a time."""

    def __init__(self, url: str, *, name: str, heartbeat: int, prepare: Callable[[], None]):
        self._prepare = prepare
        self._parameters = kombu.Connection(
            url,
            connect_timeout=CONNECT_SECONDS,
            heartbeat=heartbeat,
            transport_options={
                "read_timeout": SOCKET_SECONDS,
                "write_timeout": SOCKET_SECONDS,
                "confirm_publish": False,  # kombu's waits for each message
                "client_properties": {"connection_name": name},
            },
        )
        self.generation = 0
        self._connection: amqp.Connection | None = None
        self._channel: amqp.Channel | None = None

    @property
    def channel(self) -> amqp.Channel:
        """Connects first where that is needed; raises any of ``ERRORS``."""
        if self._channel is None:
            self._connection = self._parameters.transport.establish_connection()
            self._channel = self._connection.channel()
            self.generation += 1
            self._prepare()
        return self._channel

    @property
    def is_open(self) -> bool:
        return self._channel is not None

    def drain(self, seconds: float) -> bool:
        """Handles what arrives next; False where nothing does within ``seconds``."""
        try:
            self._connection.drain_events(timeout=max(seconds, 0))
        except TimeoutError:
            return False
        return True

    def await_all(self, waiting: Callable[[], object], seconds: float) -> None:
        """Handles what arrives until ``waiting()`` is empty; raises ``TimeoutError``."""
        end = time.monotonic() + seconds
        while waiting():
            if not self.drain(end - time.monotonic()):
                raise TimeoutError(f"no answer within {seconds:g} s")

    def beat(self) -> None:
        """Sends a heartbeat if one is due, and raises if none came for long."""
        self._connection.heartbeat_tick()

    def refresh(self) -> None:
        """Finds out whether the connection was closed while it was idle, and forgets it then."""
        if self._channel is not None:
            try:
                while self.drain(0):
                    pass
            except ERRORS:
                self.drop()

    def drop(self) -> None:
        """Closes the socket without farewell: the broker takes back what was not acknowledged."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            connection.collect()

    def close(self) -> None:
        """Takes leave of the broker, where it still listens."""
        if self._connection is not None:
            try:
                self._connection.close()
            except ERRORS:
                pass
        self.drop()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns what goes wrong into ``BrokerDown``; the next use connects anew."""
        try:
            yield
        except ERRORS as error:
            self.drop()
            raise BrokerDown(f"RabbitMQ: {type(error).__name__}: {error}") from error
