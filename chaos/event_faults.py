"""Faults on an event's way: relay, consumers, broker, and messages that nobody should send."""

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import amqp
import orjson
import redis
from django.conf import settings

from apps.messaging.brokers import choose
from apps.messaging.brokers import rabbitmq_topology as topology
from apps.messaging.brokers.base import Binding, Broker, Outgoing
from apps.messaging.relay.queue import ENVELOPE
from chaos import books
from chaos.event_books import DATABASES
from chaos.processes import Processes
from project import env
from project.local import parts
from project.local.parents import signal_at_our_death
from project.local.rabbitmq_server import rabbitmq_program

HUGE = 5 * 1024 * 1024  # bytes
AFTER_LEASE = 3.0  # seconds that a stopped relay sleeps beyond its lease


@dataclass
class Poison:
    """The ids of what was sent and never committed."""

    ids: set[UUID] = field(default_factory=set)


def is_rabbitmq() -> bool:
    return settings.EVENTS_URL.startswith(choose.AMQP)


# --- processes -----------------------------------------------------------------------------------
def relay_stopped(broken: Any, rng: random.Random) -> str | None:
    """Sleeps past its lease while another takes over, wakes up and believes nothing happened."""
    processes: Processes = broken.processes
    first = processes.leader("relay")
    if first is None:
        return None
    with _second_relay() as second:
        pid = processes.send(first, signal.SIGSTOP)
        if pid is None:
            return None
        try:
            time.sleep(settings.EVENT_RELAY_LEASE_SECONDS + AFTER_LEASE)
        finally:
            woken = processes.send(first, signal.SIGCONT)
        time.sleep(1.0)
        return f"{second.pid} took over from {pid}" if woken and second.poll() is None else None


@contextmanager
def _second_relay() -> Iterator[subprocess.Popen]:
    with open(env.PLACES.logs / "relay-2.log", "ab") as log:
        second = subprocess.Popen(
            parts.relay().command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            preexec_fn=signal_at_our_death(signal.SIGKILL),
        )  # fmt: skip
    try:
        yield second
    finally:
        second.kill()
        second.wait()


def consumer_stopped(broken: Any, rng: random.Random) -> str | None:
    """Sleeps until others may have what it holds, wakes up and goes on with it."""
    children = broken.processes.children("consumer")
    child = rng.choice(children) if children else None
    pid = broken.processes.send(child, signal.SIGSTOP)
    if pid is None:
        return None
    seconds = settings.EVENTS_CLAIM_AFTER_SECONDS + rng.uniform(1.0, 3.0)
    try:
        time.sleep(seconds)
    finally:
        woken = broken.processes.send(child, signal.SIGCONT)
    return f"stopped {pid} for {seconds:.1f} s" if woken else None


def events_broker(broken: Any, rng: random.Random) -> str | None:
    """kill -9 of whoever carries the events."""
    name = "rabbitmq" if is_rabbitmq() else "redis"
    pid = broken.processes.kill(broken.processes.leader(name))
    return pid and f"{name}: kill -9 {pid}"


# --- the broker's own ----------------------------------------------------------------------------
def connections_closed(broken: Any, rng: random.Random) -> str | None:
    """The broker throws out everybody who is connected."""
    if not is_rabbitmq():
        client = redis.Redis.from_url(settings.EVENTS_URL, socket_timeout=2)
        ended = client.client_kill_filter(_type="normal", skipme=True)
        return f"{ended} connections" if ended else None
    node = broken.processes.leader("rabbitmq")
    if node is None:
        return None
    done = subprocess.run(
        [rabbitmq_program().with_name("rabbitmqctl"), "close_all_connections", "chaos"],
        env=node.environ(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    return "all connections" if done.returncode == 0 else None


def group_lost(broken: Any, rng: random.Random) -> str | None:
    """A group is destroyed, or its queue unbound or deleted, with whatever was in it."""
    binding = rng.choice(choose.bindings())
    return _lose_queue(binding, rng) if is_rabbitmq() else _lose_streams(binding, rng)


def _lose_streams(binding: Binding, rng: random.Random) -> str | None:
    client = redis.Redis.from_url(settings.EVENTS_URL, socket_timeout=2)
    streams = sorted(client.scan_iter(f"{settings.EVENTS_PREFIX}:events:*"))
    if rng.random() < 0.3 and streams:
        stream = rng.choice(streams)
        return f"deleted {stream.decode()}" if client.delete(stream) else None
    lost = 0
    for stream in streams:
        lost += any(one["name"] == binding.group.encode() for one in client.xinfo_groups(stream))
        client.xgroup_destroy(stream, binding.group)
    return f"destroyed {binding.group} on {lost} streams" if lost else None


def _lose_queue(binding: Binding, rng: random.Random) -> str | None:
    queue, _ = topology.queues(settings.EVENTS_PREFIX, binding.group)
    exchange = topology.events_exchange(settings.EVENTS_PREFIX)
    host = urlsplit(settings.EVENTS_URL).netloc.rpartition("@")[2]
    try:
        with amqp.Connection(host, connect_timeout=2, read_timeout=5) as connection:
            channel = connection.channel()
            if rng.random() < 0.3:
                channel.queue_delete(queue)
                return f"deleted {queue}"
            for topic in binding.topics:
                key = topic.removesuffix("*") + "#" if topic.endswith("*") else topic
                channel.queue_unbind(queue, exchange, key)
    except amqp.AMQPError as error:
        raise OSError(str(error)) from error
    return f"unbound {queue}"


# --- messages ------------------------------------------------------------------------------------
@contextmanager
def _broker() -> Iterator[Broker]:
    broker = choose.broker()
    try:
        broker.declare(choose.bindings())
        broker._max_bytes = 2 * HUGE  # as another publisher might have it
        yield broker
    finally:
        broker.close()


def _told(rng: random.Random, newest: bool) -> list[Outgoing]:
    """Events of some database as they went or will go, in the order of their ids."""
    order = "DESC" if newest else ""
    rows = books.rows(
        rng.choice([*DATABASES.values(), "orders"]),
        f"SELECT id, topic, aggregate, event_id::text, {ENVELOPE} FROM messaging_outbox"
        f" ORDER BY id {order} LIMIT 100",
    )
    return [Outgoing(*row[1:4], row[4].encode()) for row in sorted(rows)]


def duplicates(broken: Any, rng: random.Random) -> str | None:
    """Events that everybody had long ago come again."""
    return _publish(_told(rng, newest=False), "again")


def reorderings(broken: Any, rng: random.Random) -> str | None:
    """The newest events arrive backwards, some of them before the relay has sent them."""
    return _publish(_told(rng, newest=True)[::-1], "backwards")


def _publish(messages: list[Outgoing], how: str) -> str | None:
    if not messages:
        return None
    with _broker() as broker:
        broker.publish(messages)
    return f"{len(messages)} events {how}"


def _envelope(like: Outgoing, **changes: Any) -> bytes:
    event = orjson.loads(like.body) | {"event_id": str(uuid4())} | changes
    return orjson.dumps(event)


SPOILED: dict[str, Callable[[Outgoing], bytes]] = {
    "broken JSON": lambda like: like.body[:-20] + uuid4().hex[:10].encode(),
    "no text": lambda like: b"\xff\xfe" + uuid4().bytes,
    "an unknown schema": lambda like: _envelope(like, schema_version=99),
    "a strange payload": lambda like: _envelope(like, payload={"surprise": True}),
    "5 MB": lambda like: _envelope(like, payload={"text": "x" * HUGE}),
}


def poison(broken: Any, rng: random.Random) -> str | None:
    """Messages that nobody can read, or should have sent."""
    told = _told(rng, newest=True)
    if not told:
        return None
    kinds = rng.sample(sorted(SPOILED), 2)
    messages = []
    for kind in kinds:
        like = rng.choice(told)
        body = SPOILED[kind](like)
        event_id = _id_of(body)
        broken.poison.ids |= {event_id, UUID(bytes=blake2b(body, digest_size=16).digest())}
        messages.append(Outgoing(like.topic, like.aggregate, str(event_id), body))
    with _broker() as broker:
        broker.publish(messages)
    return ", ".join(kinds)


def _id_of(body: bytes) -> UUID:
    try:
        return UUID(orjson.loads(body)["event_id"])
    except (orjson.JSONDecodeError, KeyError):
        return UUID(bytes=blake2b(body, digest_size=16).digest())
