"""System checks of the surroundings."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.core.checks import Error, register

from project import health


@register
def check_durable_redis_keeps_everything(app_configs=None, **kwargs) -> list[Error]:
    """A queue that may evict loses orders' work: such a server stops the start.

    One that does not answer passes: that is for readiness to say.
    """
    return _refused(health.check_durable, "holdfast.E002")


@register
def check_event_streams_keep_everything(app_configs=None, **kwargs) -> list[Error]:
    """The same where events have a Redis of their own."""
    if settings.EVENTS_URL == settings.QUEUE_REDIS_URL:
        return []
    return _refused(health.check_event_streams, "holdfast.E003")


def _refused(probe: Callable[[], None], error_id: str) -> list[Error]:
    try:
        probe()
    except health.NotReady as error:
        hint = "CONFIG SET maxmemory-policy noeviction, or name another server"
        return [Error(str(error), hint=hint, id=error_id)]
    except redis.RedisError:
        return []
    return []
