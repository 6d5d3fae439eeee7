"""Brokers, and the processes of the product between outbox and inbox."""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from bench.shop import Process, Shop

PATIENCE = 300.0
LOOK_EVERY = 0.1
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Broker:
    """``url``: of ``EVENTS_URL``; empty = the shop's durable Redis."""

    name: str
    url: str = ""

    def environment(self) -> dict[str, str]:
        """Of processes that use it, under names that nobody has used before."""
        return {"EVENTS_URL": self.url, "EVENTS_PREFIX": f"bench-{next(_numbers)}"}


REDIS = Broker("redis")


@contextmanager
def brokers(shop: Shop) -> Iterator[list[Broker]]:
    """Redis, and a RabbitMQ node of our own where it is installed."""
    from project.local.rabbitmq_server import RabbitNode, rabbitmq_program

    if rabbitmq_program() is None:
        yield [REDIS]
        return
    # Erlang keeps its node's files to itself: not below a directory that others may enter.
    with tempfile.TemporaryDirectory(prefix="bench-rabbitmq-") as directory:
        node = RabbitNode(Path(directory) / "node")
        node.start()
        try:
            yield [REDIS, Broker("rabbitmq", node.url())]
        finally:
            node.stop()


def forget(shop: Shop, variables: Mapping[str, str]) -> None:
    """Deletes what a broker kept under the names of ``variables``, as far as it is Redis."""
    import redis

    if variables["EVENTS_URL"]:
        return
    client = redis.Redis(unix_socket_path=str(shop.places.redis_durable))
    for key in list(client.scan_iter(f"{variables['EVENTS_PREFIX']}:*", count=1_000)):
        client.unlink(key)
    client.close()


@contextmanager
def started(shop: Shop, *services: Any, variables: Mapping[str, str]) -> Iterator[list[Process]]:
    """``services`` of ``project.local.parts``, with ``variables`` more in their environment."""
    with ExitStack() as stack:
        found = []
        for one in services:
            own = dict(one.environment) | dict(variables)
            process = shop.start(replace(one, environment=own))
            stack.callback(process.stop)
            found.append(process)
        yield found


def alone(name: str, *words: str) -> Any:
    """A service of ``bench.events.process``."""
    import signal

    from project.local.supervisor import Service

    command = [sys.executable, "-m", "bench.events.process", *words]
    return Service(name, command, stop=((signal.SIGTERM, 35),))


def wait_for(shop: Shop, group: str, events: int, what: str) -> None:
    """Until ``group`` has entered ``events`` in its inbox."""
    deadline = time.monotonic() + PATIENCE
    with shop.connect("reporting") as connection:
        while (there := entered(connection, group)) < events:
            if time.monotonic() > deadline:
                raise SystemExit(f"{what}: {there:,} of {events:,} events after {PATIENCE:.0f} s")
            time.sleep(LOOK_EVERY)


def entered(connection: Any, group: str) -> int:
    """How many events are in the inbox of ``group``."""
    query = "SELECT count(*) FROM messaging_inbox WHERE consumer = %s"
    return connection.execute(query, [group]).fetchone()[0]


def seconds_until_last(connection: Any, group: str, began: Any) -> float:
    """From ``began`` to the last inbox row of ``group``, by the database's clock."""
    query = (
        "SELECT extract(epoch FROM max(received_at) - %s)::float8"
        " FROM messaging_inbox WHERE consumer = %s"
    )
    return connection.execute(query, [began, group]).fetchone()[0]
