"""The setting that names the broker."""

import pytest

from apps.messaging.brokers import choose
from apps.messaging.brokers.base import Binding
from apps.messaging.brokers.rabbitmq import RabbitMq
from apps.messaging.brokers.redis_streams import RedisStreams
from apps.messaging.groups import all_groups


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://host:6379/1", RedisStreams),
        ("unix:///run/redis.sock?db=2", RedisStreams),
        ("amqp://user:password@host:5672/vhost", RabbitMq),
        ("amqps://user:password@host/vhost", RabbitMq),
    ],
)
def test_the_url_says_which(settings, url, kind):
    settings.EVENTS_URL = url

    broker = choose.broker()

    assert type(broker) is kind
    broker.close()


def test_events_go_to_the_durable_redis_where_nothing_else_is_said(settings):
    assert settings.EVENTS_URL == settings.QUEUE_REDIS_URL


def test_every_registered_group_is_bound():
    assert choose.bindings() == [Binding(group.name, group.topics) for group in all_groups()]
