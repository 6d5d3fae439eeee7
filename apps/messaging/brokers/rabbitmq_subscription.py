"""One consumer of a group on RabbitMQ."""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import amqp

from apps.messaging.brokers import rabbitmq_topology as topology
from apps.messaging.brokers.base import Binding, BrokerDown, Delivery, wants
from apps.messaging.brokers.rabbitmq_link import Link

PREFETCH = 300
# A batch may be worked on that long (and somewhat more) without a word to the broker.
HEARTBEAT_SECONDS = 60


class Tag(NamedTuple):
    generation: int  # of the channel it came over
    number: int


class RabbitSubscription:
    """Reads the group's queue and that of its dead letters.

    A lost connection gives back all that was not acknowledged; acknowledging it later raises
    ``BrokerDown``, and it comes again. What was put back is kept until it is due and then
    returned to the queue, for whoever comes first.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        binding: Binding,
        consumer: str,
        again_after: float,
        rebind_every: float,
    ):
        self._prefix, self._binding = prefix, binding
        self._again_after, self._rebind_every = again_after, rebind_every
        self._rebind_at = 0.0
        self._buffer: deque[Delivery] = deque()
        self._outstanding: dict[int, None] = {}  # in the order of arrival
        self._put_back: deque[tuple[float, int]] = deque()  # when due, which
        self._link = Link(
            url,
            name=f"{prefix} {binding.group} {consumer}",
            heartbeat=HEARTBEAT_SECONDS,
            prepare=self._consume,
        )

    def receive(self, count: int, seconds: float) -> list[Delivery]:
        end = time.monotonic() + seconds
        with self._link.errors():
            while True:
                try:
                    self._look_after()
                    self._fill(count, end)
                except amqp.ConsumerCancelled:  # the queue was deleted
                    self._link.drop()
                if self._buffer or time.monotonic() >= end:
                    size = min(count, len(self._buffer))
                    return [self._buffer.popleft() for _ in range(size)]

    def _look_after(self) -> None:
        """The connection, the bindings, and what is due to go back."""
        channel, now = self._link.channel, time.monotonic()
        self._link.beat()
        if now >= self._rebind_at:
            topology.declare(channel, self._prefix, [self._binding])
            self._rebind_at = now + self._rebind_every
        while self._put_back and self._put_back[0][0] <= now:
            _, number = self._put_back.popleft()
            channel.basic_reject(number, requeue=True)
            del self._outstanding[number]

    def _fill(self, count: int, end: float) -> None:
        """Waits for the first message, then takes what has arrived already."""
        if not self._buffer:
            due = min(end, self._rebind_at, *(at for at, _ in list(self._put_back)[:1]))
            self._link.drain(due - time.monotonic())
        while self._buffer and len(self._buffer) < count and self._link.drain(0):
            pass

    def _consume(self) -> None:
        """A new channel: what came over the last one is no longer ours."""
        self._buffer.clear()
        self._outstanding.clear()
        self._put_back.clear()
        channel = self._link.channel
        topology.declare(channel, self._prefix, [self._binding])
        self._rebind_at = time.monotonic() + self._rebind_every
        channel.basic_qos(0, PREFETCH, False)
        for queue in topology.queues(self._prefix, self._binding.group):
            channel.basic_consume(queue, callback=self._on_message)

    def _on_message(self, message: amqp.Message) -> None:
        number = message.delivery_info["delivery_tag"]
        topic = message.properties.get("type") or message.delivery_info["routing_key"]
        if not wants(self._binding, topic):  # a binding of old
            self._link.channel.basic_ack(number)
            return
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        redelivered = bool(message.delivery_info["redelivered"])
        self._outstanding[number] = None
        self._buffer.append(Delivery(Tag(self._link.generation, number), body, redelivered))

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        ours = self._ours(deliveries)
        if ours:
            with self._link.errors():
                self._ack(ours)
        if len(ours) < len(deliveries):
            raise BrokerDown("RabbitMQ: the connection they came over was lost; they come again")

    def _ack(self, numbers: set[int]) -> None:
        """One word for all that are older than anything still in hand, one each for the others."""
        together = 0
        for number in self._outstanding:
            if number not in numbers:
                break
            together = number
        channel = self._link.channel
        if together:
            channel.basic_ack(together, multiple=True)
        for number in sorted(one for one in numbers if one > together):
            channel.basic_ack(number)
        for number in numbers:
            del self._outstanding[number]

    def put_back(self, deliveries: Sequence[Delivery]) -> None:
        due = time.monotonic() + self._again_after
        self._put_back.extend((due, number) for number in sorted(self._ours(deliveries)))

    def _ours(self, deliveries: Iterable[Delivery]) -> set[int]:
        """Those that came over the channel in use and were neither acknowledged nor rejected."""
        tags = (delivery.tag for delivery in deliveries)
        return {
            tag.number
            for tag in tags
            if tag.generation == self._link.generation and tag.number in self._outstanding
        }

    def close(self) -> None:
        self._link.close()
