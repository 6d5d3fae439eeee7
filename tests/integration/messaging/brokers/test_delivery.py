"""What each broker promises to the groups of consumers."""

import threading
import time

import pytest

from apps.messaging.brokers.base import Binding, GroupState
from apps.messaging.brokers.rabbitmq_topology import DELIVERY_LIMIT
from tests.integration.messaging.brokers.conftest import (
    AGAIN_AFTER,
    CLAIM_SOON,
    bodies,
    events,
    take,
)
from tests.processes import eventually

ORDERS = Binding("orders", ("order.placed", "order.shipped"))


def test_events_come_in_the_order_they_were_published(place):
    broker = place.broker()
    broker.declare([ORDERS])
    topics = ("order.placed", "order.shipped")
    messages = [one for n in range(1_200) for one in events(topics[n % 2], n)]

    assert broker.publish(messages) == [None] * 1_200  # more than one batch

    found = take(broker.subscribe("orders", "one"), 300)
    assert bodies(found) == list(range(300))
    assert not any(one.redelivered for one in found)


def test_each_group_gets_all_that_it_wants_and_nothing_else(place):
    broker = place.broker()
    wanted = {
        "one": (("order.placed",), [1, 4]),
        "kind": (("order.*",), [1, 2, 4]),
        "two": (("order.shipped", "stock.depleted"), [2, 3]),
        "all": (("*",), [1, 2, 3, 4]),
    }
    broker.declare([Binding(group, topics) for group, (topics, _) in wanted.items()])

    broker.publish(
        [
            *events("order.placed", 1),
            *events("order.shipped", 2),
            *events("stock.depleted", 3),
            *events("order.placed", 4),
        ]
    )

    for group, (_, expected) in wanted.items():
        subscription = broker.subscribe(group, "one")
        found = take(subscription, len(expected))
        assert bodies(found) == expected
        subscription.ack(found)
        assert subscription.receive(10, 0) == []
        assert broker.state(group) == GroupState(waiting=0, pending=0, consumers=1)


def test_a_group_gets_what_is_published_once_it_is_declared(place):
    broker = place.broker()
    broker.declare([ORDERS])
    broker.publish(events("order.placed", 1))
    broker.declare([ORDERS, Binding("late", ("order.*",))])
    broker.publish(events("order.placed", 2))

    assert bodies(take(broker.subscribe("late", "one"), 1)) == [2]
    assert bodies(take(broker.subscribe("orders", "one"), 2)) == [1, 2]


def test_what_a_group_no_longer_wants_is_dropped(place):
    broker = place.broker()
    broker.declare([Binding("orders", ("order.*",))])
    broker.publish([*events("order.placed", 1), *events("order.shipped", 2)])
    broker.declare([Binding("orders", ("order.shipped",))])
    subscription = broker.subscribe("orders", "one")

    found = take(subscription, 1)
    subscription.ack(found)

    assert bodies(found) == [2]
    assert subscription.receive(10, 0) == []
    assert broker.state("orders") == GroupState(waiting=0, pending=0, consumers=1)


def test_two_consumers_share_the_work(place):
    broker = place.broker()
    broker.declare([ORDERS])
    one, two = (broker.subscribe("orders", name) for name in ("one", "two"))
    for subscription in (one, two):
        assert subscription.receive(1, 0) == []  # both are there
    broker.publish(events("order.placed", *range(700)))

    found: dict[str, list[int]] = {"one": [], "two": []}

    def consume(name, subscription):
        def all_are_found() -> bool:
            deliveries = subscription.receive(50, 0.05)
            found[name] += bodies(deliveries)
            subscription.ack(deliveries)
            return len(found["one"]) + len(found["two"]) >= 700

        eventually(all_are_found, every=0)

    threads = [threading.Thread(target=consume, args=pair) for pair in (("one", one), ("two", two))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(found["one"] + found["two"]) == list(range(700))
    assert broker.state("orders") == GroupState(waiting=0, pending=0, consumers=2)


def test_what_a_dead_consumer_held_comes_to_another(place):
    broker, cable = place.broker(claim_after=CLAIM_SOON), place.cable()
    broker.declare([ORDERS])
    doomed = place.broker(cable)
    doomed.declare([ORDERS])
    broker.publish(events("order.placed", *range(20)))
    dying = doomed.subscribe("orders", "dying")
    found = take(dying, 10)
    dying.ack(found[:4])
    assert eventually(lambda: broker.state("orders").consumers == 1)

    cable.cut()

    rest = take(broker.subscribe("orders", "heir"), 16)
    assert sorted(bodies(rest)) == list(range(4, 20))
    assert {one.redelivered for one in rest if int(one.body) < 10} == {True}


def test_whoever_leaves_hands_over_at_once(place):
    broker = place.broker()
    broker.declare([ORDERS])
    broker.publish(events("order.placed", *range(20)))
    leaving = broker.subscribe("orders", "leaving")
    leaving.ack(take(leaving, 10)[:4])

    leaving.close()

    assert sorted(bodies(take(broker.subscribe("orders", "heir"), 16))) == list(range(4, 20))


def test_what_was_put_back_comes_again_in_a_while_to_anybody(place):
    broker = place.broker()
    broker.declare([ORDERS])
    one, two = (broker.subscribe("orders", name) for name in ("one", "two"))
    broker.publish(events("order.placed", 1, 2, 3))
    found = take(one, 3)
    began = time.monotonic()

    one.put_back(found[1:2])
    one.ack([found[0], found[2]])
    again = []

    def came() -> bool:
        again.extend(two.receive(10, 0.02) + one.receive(10, 0.02))
        return bool(again)

    eventually(came, every=0)
    assert bodies(again) == [2]
    assert again[0].redelivered
    assert time.monotonic() - began >= AGAIN_AFTER * 0.9


def test_what_is_put_back_over_and_over_is_never_lost(place):
    """RabbitMQ's limit on deliveries moves it to the dead letters' queue, which is read too."""
    broker = place.broker(again_after=0.01)
    broker.declare([ORDERS])
    broker.publish(events("order.placed", 1, 2))
    subscription = broker.subscribe("orders", "one")

    for _ in range(DELIVERY_LIMIT + 3):
        subscription.put_back(take(subscription, 2))
    found = take(subscription, 2)
    subscription.ack(found)

    assert sorted(bodies(found)) == [1, 2]
    assert subscription.receive(10, 0.1) == []
    assert broker.state("orders") == GroupState(waiting=0, pending=0, consumers=1)


def test_what_is_acknowledged_never_comes_again(place):
    broker = place.broker(claim_after=CLAIM_SOON)
    broker.declare([ORDERS])
    broker.publish(events("order.placed", *range(10)))
    one = broker.subscribe("orders", "one")
    found = take(one, 10)
    one.ack(found[5:])  # in any order, while older ones are in hand
    one.ack([found[2]])
    one.ack([found[0], found[1], found[4], found[3]])
    one.close()

    assert broker.subscribe("orders", "two").receive(10, 0.6) == []
    assert broker.state("orders") == GroupState(waiting=0, pending=0, consumers=1)


def test_acknowledging_one_leaves_the_others(place):
    broker = place.broker()
    broker.declare([ORDERS])
    broker.publish(events("order.placed", *range(6)))
    one = broker.subscribe("orders", "one")
    found = take(one, 6)
    one.ack([found[0], found[1], found[4]])
    one.close()

    assert sorted(bodies(take(broker.subscribe("orders", "two"), 3))) == [2, 3, 5]


def test_waiting_ends_with_the_first_message(place):
    broker = place.broker()
    broker.declare([ORDERS])
    subscription = broker.subscribe("orders", "one")
    assert subscription.receive(10, 0) == []
    publishing = threading.Timer(0.3, broker.publish, [events("order.placed", 1)])
    publishing.start()
    began = time.monotonic()

    found = subscription.receive(10, 15)
    publishing.join()

    assert bodies(found) == [1]
    assert time.monotonic() - began < 10


def test_the_state_tells_what_waits(place):
    broker = place.broker()
    broker.declare([ORDERS])
    assert broker.state("orders") == GroupState(waiting=0, pending=0, consumers=0)
    broker.publish(events("order.placed", *range(5)))

    assert broker.state("orders") == GroupState(waiting=5, pending=0, consumers=0)
    subscription = broker.subscribe("orders", "one")
    found = take(subscription, 5)
    subscription.ack(found[:2])

    held = 3 if place.name == "redis" else 0  # RabbitMQ does not tell
    expected = GroupState(waiting=0, pending=held, consumers=1)
    eventually(lambda: broker.state("orders") == expected)


def test_an_unknown_group_is_refused(place):
    with pytest.raises(LookupError):
        place.broker().subscribe("nobody", "one")
