"""Both brokers, each test with a prefix of its own and a cable that can be cut."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

import amqp
import kombu
import pytest
import redis
from django.conf import settings as django_settings

from apps.messaging.brokers.base import Binding, Broker, Delivery, Outgoing, Subscription
from apps.messaging.brokers.rabbitmq import RabbitMq
from apps.messaging.brokers.redis_streams import RedisStreams
from tests.cable import Cable, connector, through
from tests.processes import eventually

AGAIN_AFTER = 0.2  # seconds
CLAIM_SOON, CLAIM_LATE = 0.4, 60.0  # late: however busy the machine, nobody is taken for dead
MAX_BYTES = 1024 * 1024


@dataclass
class Place:
    """A server and what belongs to the test on it: ``broker()`` is one by a direct way,
    ``broker(cable)`` by the cable; ``lose(group)`` deletes what the server keeps for a group."""

    name: str
    url: str
    prefix: str
    make: Callable[..., Broker]
    lose: Callable[[str], None]
    made: list = field(default_factory=list)

    def broker(
        self,
        cable: Cable | None = None,
        *,
        again_after: float = AGAIN_AFTER,
        claim_after: float = CLAIM_LATE,
    ) -> Broker:
        url = through(cable, self.url) if cable else self.url
        one = self.make(url, again_after=again_after, claim_after=claim_after)
        self.made.append(one)
        return one

    def cable(self) -> Cable:
        cable = Cable(connector(self.url))
        self.made.append(_Cut(cable))
        return cable


@dataclass
class _Cut:
    cable: Cable

    def close(self) -> None:
        self.cable.cut()


@pytest.fixture(params=["redis", "rabbitmq"])
def place(request) -> Iterator[Place]:
    prefix = f"t{uuid4().hex[:12]}"
    maker = {"redis": redis_place, "rabbitmq": rabbitmq_place}[request.param]
    url = django_settings.QUEUE_REDIS_URL
    if request.param == "rabbitmq":
        url = request.getfixturevalue("rabbitmq_url")
    one = maker(url, prefix)
    yield one
    for made in reversed(one.made):
        made.close()
    if request.param == "redis":
        client = redis.Redis.from_url(url)
        client.delete(prefix, *client.keys(f"{prefix}:*"))
        client.close()


def redis_place(url: str, prefix: str) -> Place:
    def make(address: str, *, again_after: float, claim_after: float) -> RedisStreams:
        return RedisStreams(
            address,
            prefix=prefix,
            kinds=lambda: ["order", "stock"],
            max_bytes=MAX_BYTES,
            claim_after=claim_after,
            again_after=again_after,
        )

    def lose(group: str) -> None:
        with redis.Redis.from_url(url) as client:
            for key in client.keys(f"{prefix}:events:*"):
                client.xgroup_destroy(key, group)

    return Place("redis", url, prefix, make, lose)


def rabbitmq_place(url: str, prefix: str) -> Place:
    def make(address: str, *, again_after: float, claim_after: float) -> RabbitMq:
        return RabbitMq(
            address,
            prefix=prefix,
            max_bytes=MAX_BYTES,
            again_after=again_after,
            rebind_every=AGAIN_AFTER,
        )

    def lose(group: str) -> None:
        with kombu.Connection(url) as connection, suppress(amqp.NotFound):
            connection.default_channel.queue_delete(f"{prefix}.{group}")

    return Place("rabbitmq", url, prefix, make, lose)


def events(topic: str, *numbers: int, size: int = 0) -> list[Outgoing]:
    """Events whose bodies are their numbers, with ``size`` bytes more."""
    return [
        Outgoing(topic, f"order:{n}", str(uuid4()), f"{n}".encode() + b" " * size) for n in numbers
    ]


def bodies(deliveries: list[Delivery]) -> list[int]:
    return [int(delivery.body) for delivery in deliveries]


def take(subscription: Subscription, count: int, *, seconds: float = 10.0) -> list[Delivery]:
    """The next ``count`` messages, and not one more of what is there already."""
    found: list[Delivery] = []

    def enough() -> bool:
        found.extend(subscription.receive(count - len(found), 0.5))
        return len(found) >= count

    eventually(enough, seconds=seconds, every=0)
    return found


def another_consumer(place: Place) -> Subscription:
    """A consumer of the group ``orders`` by the direct way."""
    broker = place.broker()
    broker.declare([Binding("orders", ("order.*",))])
    return broker.subscribe("orders", "another")
