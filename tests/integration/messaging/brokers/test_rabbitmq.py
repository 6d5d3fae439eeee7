"""What only RabbitMQ has to take care of."""

import kombu
import pytest

from apps.messaging.brokers.base import Binding, BrokerDown
from tests.integration.messaging.brokers.conftest import another_consumer, bodies, events, take

ORDERS = Binding("orders", ("order.*",))
pytestmark = pytest.mark.parametrize("place", ["rabbitmq"], indirect=True)


def test_an_unbound_queue_is_bound_again(place):
    broker = place.broker()
    broker.declare([ORDERS])
    subscription = broker.subscribe("orders", "one")
    subscription.receive(1, 0)
    with kombu.Connection(place.url) as connection:
        connection.default_channel.queue_unbind(
            f"{place.prefix}.orders", f"{place.prefix}.events", "order.#"
        )
    broker.publish(events("order.placed", 1))
    assert broker.unroutable() == 1

    assert subscription.receive(10, 0.5) == []
    broker.publish(events("order.placed", 2))

    assert bodies(take(subscription, 1)) == [2]


def test_what_rabbitmq_refuses_is_told_message_by_message(place):
    """A full queue refuses; those before it were confirmed and are not told as refused."""
    broker = place.broker()
    broker.declare([Binding("stock", ("stock.*",))])
    with kombu.Connection(place.url) as connection:
        channel = connection.default_channel
        channel.queue_declare(
            f"{place.prefix}.full",
            auto_delete=False,
            arguments={"x-max-length": 2, "x-overflow": "reject-publish"},
        )
        channel.queue_bind(f"{place.prefix}.full", f"{place.prefix}.events", "order.#")

        results = broker.publish([*events("order.placed", 1, 2, 3), *events("stock.depleted", 4)])
        again = broker.publish(events("stock.depleted", 5))

    assert results == [None, None, "RabbitMQ refused it", None]
    assert again == [None]
    assert bodies(take(broker.subscribe("stock", "one"), 2)) == [4, 5]


def test_tags_of_a_lost_connection_acknowledge_nothing_over_the_next(place):
    """RabbitMQ counts deliveries from one again; the same number is another message then."""
    cable = place.cable()
    broker = place.broker(cable)
    broker.declare([ORDERS])
    broker.publish(events("order.placed", 1, 2))
    subscription = broker.subscribe("orders", "one")
    held = take(subscription, 2)
    cable.cut()
    with pytest.raises(BrokerDown):
        subscription.receive(1, 0.1)
    cable.mend()
    take(subscription, 2)

    with pytest.raises(BrokerDown):
        subscription.ack(held)
    subscription.close()

    assert sorted(bodies(take(another_consumer(place), 2))) == [1, 2]
