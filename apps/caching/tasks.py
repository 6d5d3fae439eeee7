"""Celery's side of write-behind."""

import time

import structlog
from celery import shared_task
from django.db import InterfaceError, OperationalError, close_old_connections

from apps.caching.write_behind import find_buffer, flush
from apps.caching.write_behind.connections import AWAY
from apps.caching.write_behind.nudge import nudge, stay_up, take_up

log = structlog.get_logger(__name__)
TURN_SECONDS = 5.0  # then others get the worker, and a stopping worker stops
LINGER_SECONDS = 0.05  # several edits cost little more than one


@shared_task(ignore_result=True)
def flush_shard(buffer: str, shard: int) -> int:
    """Flushes until nothing comes any more or its turn is over; returns how many keys.

    While Redis or the database is away it says so in a line; everything stays pending, and the
    poller looks again.
    """
    end, done = time.monotonic() + TURN_SECONDS, 0
    try:
        while True:
            count = flush(find_buffer(buffer), shard, seconds=end - time.monotonic())
            done += count
            time.sleep(LINGER_SECONDS)
            if not count:
                take_up(buffer, shard)  # whoever comes from now on sends a message
                return done + flush(find_buffer(buffer), shard, seconds=1.0)
            if time.monotonic() > end:
                nudge(buffer, shard)
                return done
            stay_up(buffer, shard)
    except (OperationalError, InterfaceError, *AWAY) as error:
        log.warning("write_behind.flush_failed", buffer=buffer, shard=shard, error=str(error))
        close_old_connections()
        return done
