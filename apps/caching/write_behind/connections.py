"""Connections to the durable Redis for edits: it answers soon, or counts as away."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

# Redis is away, still loading, has no memory left or cannot write its file.
AWAY = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.BusyLoadingError,
    redis.ReadOnlyError,
    OSError,
)


@cache
def client() -> redis.Redis:
    """For edits and flushes. Never repeats by itself: the caller decides what a silence means."""
    return _client(settings.WRITE_BEHIND_TIMEOUT_SECONDS)


@cache
def reader() -> redis.Redis:
    """For readers, who have the database besides and do not wait."""
    return _client(settings.CACHE_TIMEOUT_SECONDS)


def _client(seconds: float) -> redis.Redis:
    return redis.Redis.from_url(
        settings.QUEUE_REDIS_URL,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
    )
