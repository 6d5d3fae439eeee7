"""Events on RabbitMQ: publishing with counted confirms, declaring, looking. See
docs/decisions/0018-brokers.md."""

import threading
from collections.abc import Sequence

import amqp

from apps.messaging.brokers import rabbitmq_topology as topology
from apps.messaging.brokers.base import Binding, GroupState, Outgoing, refusal
from apps.messaging.brokers.rabbitmq_link import Link
from apps.messaging.brokers.rabbitmq_subscription import RabbitSubscription

BATCH = 500
CONFIRM_SECONDS = 10.0  # for a batch; a broker short of memory or disk answers later or never
PERSISTENT = 2


class RabbitMq:
    """A message put back comes again after ``again_after`` seconds; consumers look after their
    bindings every ``rebind_every`` seconds. ``bindings`` are known without being declared."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        bindings: Sequence[Binding] = (),
        max_bytes: int,
        again_after: float,
        rebind_every: float = 10.0,
    ):
        self._url, self._prefix, self._max_bytes = url, prefix, max_bytes
        self._again_after, self._rebind_every = again_after, rebind_every
        self._known = {binding.group: binding for binding in bindings}
        self._declared: dict[str, Binding] = {}
        self._unconfirmed: dict[int, int] = {}  # tag → index of the message, in order
        self._refused: list[int] = []
        self._published = 0  # on this channel; RabbitMQ counts the same way
        self._lock = threading.RLock()
        # No heartbeat: a relay that is busy elsewhere sends none, and each publication is answered.
        self._link = Link(url, name=f"{prefix} publisher", heartbeat=0, prepare=self._prepare)

    def _prepare(self) -> None:
        """A new channel: whatever the broker lost is made again, and confirms are asked for."""
        channel = self._link.channel
        topology.declare(channel, self._prefix, self._declared.values())
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        self._unconfirmed, self._published = {}, 0

    def declare(self, bindings: Sequence[Binding]) -> None:
        with self._lock, self._link.errors():
            self._declared |= {binding.group: binding for binding in bindings}
            self._known |= self._declared
            self._link.refresh()
            topology.declare(self._link.channel, self._prefix, bindings)

    def publish(self, messages: Sequence[Outgoing]) -> list[str | None]:
        results = [refusal(message, self._max_bytes) for message in messages]
        good = [i for i, error in enumerate(results) if error is None]
        with self._lock, self._link.errors():
            self._link.refresh()
            for start in range(0, len(good), BATCH):
                for i in self._publish(messages, good[start : start + BATCH]):
                    results[i] = "RabbitMQ refused it"
        return results

    def _publish(self, messages: Sequence[Outgoing], indexes: Sequence[int]) -> list[int]:
        """Sends these and waits until each is confirmed or refused; returns the refused."""
        channel, exchange = self._link.channel, topology.events_exchange(self._prefix)
        self._refused = []
        for i in indexes:
            message = messages[i]
            self._published += 1
            self._unconfirmed[self._published] = i
            channel.basic_publish(
                amqp.Message(
                    message.body,
                    delivery_mode=PERSISTENT,
                    content_type="application/json",
                    message_id=message.event_id,
                    type=message.topic,
                ),
                exchange,
                message.topic,
            )
        self._link.await_all(lambda: self._unconfirmed, CONFIRM_SECONDS)
        return self._refused

    def _on_ack(self, tag: int, multiple: bool) -> None:
        self._settled(tag, multiple)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._refused += self._settled(tag, multiple)

    def _settled(self, tag: int, multiple: bool) -> list[int]:
        """Indexes of the messages that the broker has decided upon."""
        if not multiple:
            return [self._unconfirmed.pop(tag)]
        tags = []
        for one in self._unconfirmed:
            if one > tag:
                break
            tags.append(one)
        return [self._unconfirmed.pop(one) for one in tags]

    def subscribe(self, group: str, consumer: str) -> RabbitSubscription:
        return RabbitSubscription(
            self._url,
            prefix=self._prefix,
            binding=self._known[group],
            consumer=consumer,
            again_after=self._again_after,
            rebind_every=self._rebind_every,
        )

    def state(self, group: str) -> GroupState:
        """``pending`` is always 0: AMQP does not tell."""
        main, dead = (self._look(queue) for queue in topology.queues(self._prefix, group))
        return GroupState(
            waiting=main.message_count + dead.message_count,
            pending=0,
            consumers=main.consumer_count,
        )

    def unroutable(self) -> int:
        return self._look(topology.unroutable_queue(self._prefix)).message_count

    def _look(self, queue: str) -> amqp.protocol.queue_declare_ok_t:
        with self._lock, self._link.errors():
            self._link.refresh()
            try:
                return self._link.channel.queue_declare(queue, passive=True)
            except amqp.NotFound:  # closes the channel; the next one declares what is missing
                self._link.drop()
                return amqp.protocol.queue_declare_ok_t(queue, 0, 0)

    def trim(self) -> int:
        """RabbitMQ throws away what was acknowledged by itself."""
        return 0

    def close(self) -> None:
        with self._lock:
            self._link.close()
