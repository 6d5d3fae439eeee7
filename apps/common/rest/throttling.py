"""Request limits: counters in the cache's Redis, one round trip, open when Redis is away."""

import time

import structlog
from django.conf import settings
from django_redis import get_redis_connection
from redis.exceptions import RedisError
from rest_framework.throttling import BaseThrottle

WINDOW_SECONDS = 60
log = structlog.get_logger(__name__)


class WindowThrottle(BaseThrottle):
    """So many requests a minute (``API_REQUESTS_PER_MINUTE[scope]``; 0 = no limit)."""

    scope = ""

    def identity(self, request, view) -> str | None:
        """Who is counted; None = this throttle does not concern the request."""
        raise NotImplementedError

    def allow_request(self, request, view) -> bool:
        limit = settings.API_REQUESTS_PER_MINUTE.get(self.scope, 0)
        who = self.identity(request, view) if limit else None
        if who is None:
            return True
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        self.left = (window + 1) * WINDOW_SECONDS - now
        return self._count(f"throttle:{self.scope}:{who}:{window}") <= limit

    def _count(self, key: str) -> int:
        try:
            with get_redis_connection("default").pipeline(transaction=False) as pipe:
                return pipe.incr(key).expire(key, WINDOW_SECONDS * 2).execute()[0]
        except RedisError as exc:
            # A shop without its counter still sells; the limit is a courtesy, not a lock.
            log.warning("throttle_open", reason=type(exc).__name__)
            return 0

    def wait(self) -> float:
        return self.left


class AnonymousThrottle(WindowThrottle):
    """Counts callers who are not logged in, by address."""

    scope = "anonymous"

    def identity(self, request, view) -> str | None:
        return None if request.user and request.user.is_authenticated else self.get_ident(request)


class UserThrottle(WindowThrottle):
    """Counts each user."""

    scope = "user"

    def identity(self, request, view) -> str | None:
        return str(request.user.pk) if request.user and request.user.is_authenticated else None
