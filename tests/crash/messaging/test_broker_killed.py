"""A broker killed with -9 between publication and consumption loses nothing that it confirmed."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from apps.messaging.brokers.base import Binding, Broker, BrokerDown, Outgoing
from apps.messaging.brokers.rabbitmq import RabbitMq
from apps.messaging.brokers.redis_streams import RedisStreams
from project.local.places import Places, make_private
from project.local.rabbitmq_server import RabbitNode
from project.local.redis_server import RedisServer
from tests.processes import Process, eventually

ORDERS = Binding("orders", ("order.*",))
QUEUE = re.compile(rb"drill\.orders(?!\.dead)")
BATCH, BEFORE_THE_KILL, HELD = 50, 1_000, 40


@dataclass
class Server:
    """One that the test may kill: ``kill()`` returns when it is dead, ``start()`` when it answers,
    ``knows_its_queues()`` says whether they are on disk."""

    broker: Callable[[], Broker]
    start: Callable[[], None]
    kill: Callable[[], None]
    knows_its_queues: Callable[[], bool] = lambda: True


@pytest.fixture(params=["redis", "rabbitmq"])
def server(request, tmp_path) -> Iterator[Server]:
    if request.param == "rabbitmq":
        request.getfixturevalue("rabbitmq_installed")
        yield from rabbitmq(tmp_path)
    else:
        yield from durable_redis(tmp_path)


def rabbitmq(directory) -> Iterator[Server]:
    node = RabbitNode(directory / "node")

    def broker() -> RabbitMq:
        return RabbitMq(node.url(), prefix="drill", max_bytes=100_000, again_after=0.1)

    def knows_its_queues() -> bool:
        """RabbitMQ writes the register of quorum queues half a second late, and does not find
        again what is not in it (rabbitmq-server #15725)."""
        registers = (directory / "node").glob("data/*/quorum/*/names.dets")
        return any(QUEUE.search(register.read_bytes()) for register in registers)

    node.start()
    yield Server(broker, node.start, node.kill, knows_its_queues)
    node.stop()


def durable_redis(directory) -> Iterator[Server]:
    """As ``make up`` starts it: AOF, written every second."""
    places = Places(directory)
    make_private(places.sockets, places.mode)
    redis_server = RedisServer(places, "redis-durable")
    redis_server.prepare()
    running: list[Process] = []

    def start() -> None:
        command = redis_server.service().command
        running.append(Process("redis", command, {}, directory / "redis.log"))
        eventually(redis_server.is_ready)

    def broker() -> RedisStreams:
        return RedisStreams(
            f"unix://{places.redis_durable}",
            prefix="drill",
            kinds=lambda: ["order"],
            max_bytes=100_000,
            claim_after=0.2,
            again_after=0.1,
        )

    start()
    yield Server(broker, start, lambda: running[-1].kill())
    running[-1].kill()


def publish_until_down(broker: Broker, confirmed: set[str], enough: threading.Event) -> None:
    """Adds to ``confirmed`` what the broker has taken, until it is gone."""
    number = 0
    while True:
        batch = [
            Outgoing("order.placed", f"order:{n}", str(uuid4()), f"{n}".encode())
            for n in range(number, number + BATCH)
        ]
        try:
            results = broker.publish(batch)
        except BrokerDown:
            return
        confirmed.update(
            message.body.decode()
            for message, error in zip(batch, results, strict=True)
            if error is None
        )
        number += BATCH
        if number >= BEFORE_THE_KILL:
            enough.set()


def test_nothing_that_was_confirmed_is_lost(server):
    broker = server.broker()
    broker.declare([ORDERS])
    eventually(server.knows_its_queues)
    consumer = broker.subscribe("orders", "one")
    consumer.receive(1, 0)
    confirmed: set[str] = set()
    enough = threading.Event()
    publisher = threading.Thread(
        target=publish_until_down, args=(server.broker(), confirmed, enough)
    )
    publisher.start()
    assert enough.wait(30)
    held = consumer.receive(HELD, 5)  # neither acknowledged nor put back

    server.kill()
    publisher.join(30)
    with pytest.raises(BrokerDown):
        broker.publish([Outgoing("order.placed", "order:0", str(uuid4()), b"late")])
    server.start()

    seen: set[str] = set()

    def all_seen() -> bool:
        deliveries = heir.receive(500, 0.5)
        seen.update(delivery.body.decode() for delivery in deliveries)
        heir.ack(deliveries)
        return confirmed <= seen

    broker.declare([ORDERS])
    heir = broker.subscribe("orders", "heir")
    eventually(all_seen, every=0)
    assert len(confirmed) >= BEFORE_THE_KILL
    assert len(held) > 0
    assert {delivery.body.decode() for delivery in held} <= seen
