"""Exchanges and queues on RabbitMQ (3.10 or newer), and who is bound to what.

``{prefix}.events`` (topic) routes to one quorum queue per group, ``{prefix}.{group}``. What a
queue gave out ``DELIVERY_LIMIT`` times goes by ``{prefix}.dead``, at least once, to
``{prefix}.{group}.dead``, which the group's consumers read as well: nothing stays there. What no
queue wants goes to ``{prefix}.unroutable``, the newest of it for people to look at.
"""

from collections.abc import Iterable

import amqp

from apps.messaging.brokers.base import Binding

# High: a crash raises the count of everything that was prefetched, and the attempts that matter
# are counted in the database.
DELIVERY_LIMIT = 20
NEVER = 2**31 - 1  # a queue of dead letters has nowhere else to put them
UNROUTABLE_KEPT = 10_000
QUORUM = {"x-queue-type": "quorum"}


def events_exchange(prefix: str) -> str:
    return f"{prefix}.events"


def queues(prefix: str, group: str) -> tuple[str, str]:
    """The group's queue and that of its dead letters."""
    return f"{prefix}.{group}", f"{prefix}.{group}.dead"


def unroutable_queue(prefix: str) -> str:
    return f"{prefix}.unroutable"


def declare(channel: amqp.Channel, prefix: str, bindings: Iterable[Binding]) -> None:
    """Makes whatever is missing; raises the channel's errors, among them
    ``PreconditionFailed`` where something else stands there by the same name."""
    unroutable, dead = unroutable_queue(prefix), f"{prefix}.dead"
    channel.exchange_declare(unroutable, "fanout", durable=True, auto_delete=False)
    channel.queue_declare(
        unroutable,
        durable=True,
        auto_delete=False,
        arguments=QUORUM | {"x-max-length": UNROUTABLE_KEPT},
    )
    channel.queue_bind(unroutable, unroutable)
    channel.exchange_declare(dead, "direct", durable=True, auto_delete=False)
    channel.exchange_declare(
        events_exchange(prefix),
        "topic",
        durable=True,
        auto_delete=False,
        arguments={"alternate-exchange": unroutable},
    )
    for binding in bindings:
        _declare_group(channel, prefix, binding)


def _declare_group(channel: amqp.Channel, prefix: str, binding: Binding) -> None:
    queue, dead_queue = queues(prefix, binding.group)
    channel.queue_declare(
        dead_queue,
        durable=True,
        auto_delete=False,
        arguments=QUORUM | {"x-delivery-limit": NEVER},
    )
    channel.queue_bind(dead_queue, f"{prefix}.dead", binding.group)
    channel.queue_declare(
        queue,
        durable=True,
        auto_delete=False,
        arguments=QUORUM
        | {
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": f"{prefix}.dead",
            "x-dead-letter-routing-key": binding.group,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",  # which at-least-once asks for
        },
    )
    for topic in binding.topics:
        channel.queue_bind(queue, events_exchange(prefix), _routing_key(topic))


def _routing_key(topic: str) -> str:
    """``*`` and ``order.*`` as AMQP writes them."""
    return topic.removesuffix("*") + "#" if topic.endswith("*") else topic
