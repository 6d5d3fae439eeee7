"""Connections to the durable Redis for edits: it answers soon, or counts as away."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from hashlib import sha1
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry

from apps.common.breaker import Breaker, BreakerOpen

# Redis does not answer, is still loading, or may not write.
AWAY = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.BusyLoadingError,
    redis.ReadOnlyError,
    OSError,
)
BREAK_SECONDS = 1.0  # that nobody asks a Redis which did not answer


def client() -> redis.Redis:
    """For edits and flushes."""
    return _client(settings.QUEUE_REDIS_URL, settings.WRITE_BEHIND_TIMEOUT_SECONDS)


def reader() -> redis.Redis:
    """For readers, who have the database besides and do not wait."""
    return _client(settings.QUEUE_REDIS_URL, settings.CACHE_TIMEOUT_SECONDS)


@contextmanager
def reached(who: str = "client") -> Iterator[None]:
    """Around calls: raises one of ``AWAY`` at once where Redis did not answer a moment ago; what is
    too slow for a ``reader`` may not be for others."""
    try:
        with _breaker(settings.QUEUE_REDIS_URL, who).call():
            yield
    except BreakerOpen:
        raise redis.ConnectionError("did not answer a moment ago") from None


def run(script: str, keys: Sequence[str], words: Sequence[Any]) -> Any:
    """``script``'s answer; a Redis that does not know it yet learns it."""
    with reached():
        try:
            return client().evalsha(_digest(script), len(keys), *keys, *words)
        except redis.exceptions.NoScriptError:
            return client().eval(script, len(keys), *keys, *words)
        except redis.ResponseError as error:
            if "MISCONF" in str(error):  # its disk is full or broken
                raise redis.ConnectionError(str(error)) from error
            raise


@contextmanager
def asking() -> Iterator[Pipeline]:
    """A pipeline for readers, to be executed in the block."""
    with reached("reader"), reader().pipeline(transaction=False) as pipe:
        yield pipe


@lru_cache(maxsize=16)
def _client(url: str, seconds: float) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        # A pooled connection that a restarted server has closed is opened again at once; one that
        # does not answer in time is not waited for twice. An edit that arrives twice is one edit.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )


@cache
def _breaker(url: str, who: str) -> Breaker:
    return Breaker(failures=1, seconds=BREAK_SECONDS, counted=AWAY)


@cache
def _digest(script: str) -> str:
    return sha1(script.encode(), usedforsecurity=False).hexdigest()
