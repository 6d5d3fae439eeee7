"""Which broker carries the events, by ``EVENTS_URL``."""

from django.conf import settings

from apps.messaging.brokers.base import Binding, Broker
from apps.messaging.brokers.rabbitmq import RabbitMq
from apps.messaging.brokers.redis_streams import RedisStreams
from apps.messaging.contracts import all_contracts
from apps.messaging.groups import all_groups

AMQP = ("amqp://", "amqps://")


def broker() -> Broker:
    """A broker of its own for whoever asks: close it. Nothing is connected yet, and the registered
    groups are known: who only looks has nothing to declare."""
    if settings.EVENTS_URL.startswith(AMQP):
        return RabbitMq(
            settings.EVENTS_URL,
            prefix=settings.EVENTS_PREFIX,
            bindings=bindings(),
            max_bytes=settings.EVENT_MAX_BYTES,
            again_after=settings.EVENTS_AGAIN_AFTER_SECONDS,
        )
    return RedisStreams(
        settings.EVENTS_URL,
        prefix=settings.EVENTS_PREFIX,
        bindings=bindings(),
        kinds=lambda: {contract.topic.partition(".")[0] for contract in all_contracts()},
        max_bytes=settings.EVENT_MAX_BYTES,
        claim_after=settings.EVENTS_CLAIM_AFTER_SECONDS,
        again_after=settings.EVENTS_AGAIN_AFTER_SECONDS,
    )


def bindings() -> list[Binding]:
    """Of all registered groups: what every process declares, whichever of them it serves, so that
    a group that is not running misses nothing."""
    return [Binding(group.name, group.topics) for group in all_groups()]
