"""Connections to the cache's Redis: quick to give up, since every answer can be had elsewhere."""

from functools import cache

import redis
from django.conf import settings

# What a caller takes for "Redis is away"; everything else is a defect and is raised.
AWAY = (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError, OSError)


@cache
def client() -> redis.Redis:
    """The client of ``CACHE_URL``; its pool belongs to this process."""
    return redis.Redis.from_url(
        settings.CACHE_URL,
        socket_timeout=settings.CACHE_TIMEOUT_SECONDS,
        socket_connect_timeout=settings.CACHE_TIMEOUT_SECONDS,
    )
