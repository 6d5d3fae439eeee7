"""How what is counted is named in Redis, and the clients that ask for it."""

from functools import cache

import redis
from django.conf import settings

# What a caller takes for "Redis is away": one that answers with an error (full, read-only, its disk
# broken, busy) is of no more use, and none of this is worth a page that breaks.
AWAY = (redis.RedisError, OSError)
DAY = 86_400


def key(name: str) -> str:
    """All keys share a hash tag, so that one script may touch several."""
    return f"{settings.CACHE_PREFIX}:{{engagement}}:{name}"


@cache
def client() -> redis.Redis:
    """The durable Redis, for callers that would rather do without than wait."""
    return redis.Redis.from_url(
        settings.QUEUE_REDIS_URL,
        socket_timeout=settings.CACHE_TIMEOUT_SECONDS,
        socket_connect_timeout=settings.CACHE_TIMEOUT_SECONDS,
    )


@cache
def script(text: str) -> redis.commands.core.Script:
    return client().register_script(text)
