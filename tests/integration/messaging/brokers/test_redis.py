"""What only Redis Streams have to take care of."""

import pytest
import redis

from apps.messaging.brokers.base import Binding, GroupState
from apps.messaging.brokers.redis_streams import RedisStreams
from tests.integration.messaging.brokers.conftest import bodies, events, take

ORDERS = Binding("orders", ("order.*",))
pytestmark = pytest.mark.parametrize("place", ["redis"], indirect=True)


def test_a_flushed_redis_gets_all_groups_back_from_the_start(place):
    broker = place.broker()
    others = Binding("others", ("*",))
    broker.declare([ORDERS, others])
    subscription = broker.subscribe("orders", "one")
    broker.publish(events("order.placed", 1))
    subscription.ack(take(subscription, 1))
    with redis.Redis.from_url(place.url) as client:
        client.delete(*client.keys(f"{broker.prefix}:*"))
    broker.publish(events("order.placed", 2))  # to a stream without any group

    restarted = place.broker()
    restarted.declare([ORDERS, others])

    assert bodies(take(restarted.subscribe("others", "one"), 1)) == [2]
    assert bodies(take(subscription, 1)) == [2]


def test_trimming_makes_a_lost_group_again_rather_than_forget_it(place):
    broker = place.broker()
    others = Binding("others", ("order.*",))
    broker.declare([ORDERS, others])
    broker.publish(events("order.placed", 1, 2))
    subscription = broker.subscribe("orders", "one")
    subscription.ack(take(subscription, 2))
    place.lose("others")

    assert broker.trim() == 0

    assert bodies(take(broker.subscribe("others", "one"), 2)) == [1, 2]


def test_only_consumers_that_hold_nothing_are_forgotten(place):
    broker = place.broker()
    broker.claim_after = 0.0  # whoever is silent is dead
    broker.declare([ORDERS])
    broker.publish(events("order.placed", 1, 2))
    idle, holder = broker.subscribe("orders", "idle"), broker.subscribe("orders", "holder")
    idle.ack(take(idle, 2))
    broker.publish(events("order.placed", 3))
    take(holder, 1)

    broker.trim()

    with redis.Redis.from_url(place.url) as client:
        found = client.xinfo_consumers(broker.stream("order"), "orders")
    assert [(one["name"], one["pending"]) for one in found] == [(b"holder", 1)]


def test_a_lost_group_that_is_declared_again_starts_over(place):
    """Others have theirs still; whoever declared it before knows that it is no new one."""
    broker = place.broker()
    others = Binding("others", ("order.*",))
    broker.declare([ORDERS, others])
    broker.publish(events("order.placed", 1))
    place.lose("orders")

    broker.declare([ORDERS, others])

    assert bodies(take(broker.subscribe("orders", "one"), 1)) == [1]


def test_who_only_looks_makes_nothing(place):
    broker = place.broker()
    broker.declare([ORDERS])
    broker.publish(events("order.placed", 1))
    place.lose("orders")
    looking = RedisStreams(
        place.url,
        prefix=place.prefix,
        kinds=lambda: ["order"],
        bindings=[ORDERS],
        max_bytes=1,
        claim_after=1,
        again_after=1,
    )

    assert looking.state("orders") == GroupState(waiting=1, pending=0, consumers=0)

    assert looking.client.xinfo_groups(looking.stream("order")) == []
    looking.close()
