"""Connections to the durable Redis: queues, hints, counters that must survive."""

from functools import cache

import redis
from django.conf import settings

SOCKET_TIMEOUT = 1.0  # seconds; hints are sent from a thread of their own


@cache
def durable() -> redis.Redis:
    """The client of ``QUEUE_REDIS_URL``; its pool belongs to this process."""
    return redis.Redis.from_url(
        settings.QUEUE_REDIS_URL,
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=SOCKET_TIMEOUT,
    )
