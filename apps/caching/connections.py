"""Connections to the caches' Redis: quick to give up, since every answer can be had elsewhere."""

from collections.abc import Sequence
from functools import lru_cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

# What a caller takes for "Redis is away": also one that is full, read-only or still loading.
AWAY = (redis.RedisError, OSError)


def urls() -> Sequence[str]:
    """Of all shards, as ``CACHE_URL`` has them between commas."""
    return settings.CACHE_URL.split(",")


def client() -> redis.Redis:
    """The client of the first shard, which is the only one as a rule."""
    return client_of(urls()[0])


def clients() -> list[redis.Redis]:
    """One for each shard; changes are published on the shard that holds what was changed."""
    return [client_of(url) for url in urls()]


def client_of(url: str) -> redis.Redis:
    """The client of one shard; its pool belongs to this process."""
    return _client(url, settings.CACHE_TIMEOUT_SECONDS)


@lru_cache(maxsize=16)
def _client(url: str, seconds: float) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        # A pooled connection that a restarted server has closed is opened again at once; one that
        # does not answer in time is not waited for twice.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )
