"""What becomes of messages that a broker does not want, does not route or does not answer."""

from contextlib import suppress

import pytest

from apps.messaging.brokers.base import Binding, BrokerDown, GroupState
from tests.integration.messaging.brokers.conftest import (
    CLAIM_SOON,
    MAX_BYTES,
    another_consumer,
    bodies,
    events,
    take,
)
from tests.processes import eventually

ORDERS = Binding("orders", ("order.*",))


def test_a_message_that_is_too_large_is_refused_alone(place):
    broker = place.broker()
    broker.declare([ORDERS])
    largest = MAX_BYTES - 1
    messages = [
        *events("order.placed", 1),
        *events("order.placed", 2, size=5_000_000),
        *events("order.placed", 3, size=largest),
        *events("order.placed", 4),
    ]

    assert broker.publish(messages) == [None, "5000001 bytes are more than 1048576", None, None]

    found = take(broker.subscribe("orders", "one"), 3)
    assert bodies(found) == [1, 3, 4]
    assert len(found[1].body) == MAX_BYTES


def test_much_at_once_goes_out_in_parts(place):
    broker = place.broker()
    broker.declare([ORDERS])

    results = broker.publish(events("order.placed", *range(40), size=500_000))

    assert results == [None] * 40
    assert bodies(take(broker.subscribe("orders", "one"), 40)) == list(range(40))


def test_nothing_is_published_by_nothing(place):
    assert place.broker().publish([]) == []


def test_what_nobody_wants_is_taken_and_counted(place):
    broker = place.broker()
    broker.declare([ORDERS])

    assert broker.publish(events("stock.depleted", 1, 2)) == [None, None]

    assert broker.unroutable() == {"redis": 0, "rabbitmq": 2}[place.name]
    assert broker.state("orders") == GroupState(waiting=0, pending=0, consumers=0)


def test_a_broker_out_of_reach_says_so_and_is_found_again(place):
    cable = place.cable()
    broker = place.broker(cable, claim_after=CLAIM_SOON)
    broker.declare([ORDERS])
    broker.publish(events("order.placed", 1, 2))
    subscription = broker.subscribe("orders", "one")
    held = take(subscription, 2)
    cable.cut()

    for call in (
        lambda: broker.publish(events("order.placed", 3)),
        lambda: broker.declare([ORDERS]),
        lambda: broker.state("orders"),
        lambda: subscription.receive(10, 0),
        lambda: subscription.ack(held),
        lambda: broker.subscribe("orders", "two").receive(1, 0),
    ):
        with pytest.raises(BrokerDown):
            call()
    cable.mend()

    broker.declare([ORDERS])
    assert broker.publish(events("order.placed", 4)) == [None]
    assert {1, 2, 4} <= set(bodies(take(subscription, 3)))


def test_a_connection_that_broke_while_idle_is_no_failure_to_publish(place):
    cable = place.cable()
    broker = place.broker(cable)
    broker.declare([ORDERS])
    broker.publish(events("order.placed", 1))
    cable.cut()
    cable.mend()

    assert broker.publish(events("order.placed", 2)) == [None]
    assert bodies(take(broker.subscribe("orders", "one"), 2)) == [1, 2]


def test_an_answer_that_never_came_may_be_a_duplicate_but_no_loss(place):
    cable = place.cable()
    broker = place.broker(cable)
    broker.declare([ORDERS])
    batch = events("order.placed", *range(20))
    broker.publish(batch[:1])
    cable.swallow_answers()
    with pytest.raises(BrokerDown):
        broker.publish(batch)
    cable.cut()
    cable.mend()

    assert broker.publish(batch) == [None] * 20

    subscription = another_consumer(place)
    found = bodies(take(subscription, 21))  # the first, what was repeated, perhaps more
    while more := subscription.receive(100, 0.2):
        found += bodies(more)
    assert set(found) == set(range(20))
    assert place.name == "rabbitmq" or len(found) == 41  # a script is done as a whole


def test_what_was_acknowledged_to_nobody_comes_again(place):
    cable = place.cable()
    broker = place.broker(cable, claim_after=CLAIM_SOON)
    broker.declare([ORDERS])
    broker.publish(events("order.placed", 1, 2))
    subscription = broker.subscribe("orders", "one")
    held = take(subscription, 2)
    cable.cut()
    with suppress(BrokerDown):  # AMQP waits for no answer and may not notice yet
        subscription.ack(held)
    with pytest.raises(BrokerDown):
        subscription.receive(1, 0.1)
    with pytest.raises(BrokerDown):
        subscription.ack(held)
    cable.mend()

    again = take(subscription, 2)
    subscription.ack(again)

    assert sorted(bodies(again)) == [1, 2]
    assert {one.redelivered for one in again} == {True}
    assert subscription.receive(10, 0.6) == []


def test_a_lost_group_is_made_again(place):
    """What was published meanwhile is the reconciler's; nothing after that is lost."""
    broker = place.broker()
    others = Binding("others", ("order.*",))
    broker.declare([ORDERS, others])
    subscription = broker.subscribe("orders", "one")
    broker.publish(events("order.placed", 1))
    subscription.ack(take(subscription, 1))

    place.lose("orders")
    found = bodies(subscription.receive(10, 0.3))  # Redis starts over
    broker.publish(events("order.placed", 2))

    def it_came() -> bool:
        found.extend(bodies(subscription.receive(10, 0.5)))
        return 2 in found

    eventually(it_came, every=0)
    assert bodies(take(broker.subscribe("others", "one"), 2)) == [1, 2]


def test_declaring_again_changes_nothing(place):
    broker = place.broker()
    broker.declare([ORDERS])
    broker.publish(events("order.placed", 1, 2))
    subscription = broker.subscribe("orders", "one")
    subscription.ack(take(subscription, 1))

    broker.declare([ORDERS])
    another = place.broker()
    another.declare([ORDERS])

    assert bodies(take(subscription, 1)) == [2]
    assert broker.state("orders").waiting == 0


def test_trimming_leaves_what_any_group_has_yet_to_acknowledge(place):
    broker = place.broker()
    slow = Binding("slow", ("order.*",))
    broker.declare([ORDERS, slow])
    broker.publish(events("order.placed", *range(100)))
    quick, late = broker.subscribe("orders", "one"), broker.subscribe("slow", "one")
    quick.ack(take(quick, 100))

    assert broker.trim() == 0  # nobody of the slow group has seen anything

    found = take(late, 30)
    late.ack(found[:10] + found[20:])
    assert broker.trim() == {"redis": 10, "rabbitmq": 0}[place.name]
    assert broker.trim() == 0
    late.close()

    rest = bodies(take(broker.subscribe("slow", "two"), 80))
    assert sorted(rest) == [*range(10, 20), *range(30, 100)]
