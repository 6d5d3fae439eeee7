"""System checks of the surroundings."""

import redis
from django.core.checks import Error, register

from project import health


@register
def check_durable_redis_keeps_everything(app_configs=None, **kwargs) -> list[Error]:
    """A queue that may evict loses orders' work: such a server stops the start.

    One that does not answer passes: that is for readiness to say.
    """
    try:
        health.check_durable()
    except health.NotReady as error:
        return [
            Error(
                str(error),
                hint="CONFIG SET maxmemory-policy noeviction, or name another server",
                id="holdfast.E002",
            )
        ]
    except redis.RedisError:
        return []
    return []
