"""Signs of life of processes that nobody can call: keys that expire in the durable Redis."""

import logging
import time
from functools import cache

import redis
from celery import bootsteps
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django_celery_beat.schedulers import DatabaseScheduler

from apps.scheduling import facade as jobs

logger = logging.getLogger(__name__)
EVERY_SECONDS = 2.0
EXPIRY_SECONDS = 10  # beat's longest nap is 5 s
MISSED_EVERY_SECONDS = 30.0


@cache
def client() -> redis.Redis:
    """The durable Redis, with time-outs short enough for a health check."""
    return redis.Redis.from_url(
        settings.QUEUE_REDIS_URL, socket_timeout=0.8, socket_connect_timeout=0.8
    )


def key(part: str) -> str:
    return f"holdfast:alive:{part}"


def show(part: str) -> None:
    """Says that ``part`` lives; a Redis that is down silences it, nothing more."""
    try:
        client().set(key(part), "1", ex=EXPIRY_SECONDS)
    except redis.RedisError as error:
        logger.warning("no sign of life left by %s: %s", part, error)


def end(part: str) -> None:
    """Says that ``part`` stops in good order."""
    try:
        client().delete(key(part))
    except redis.RedisError as error:
        logger.warning("no farewell left by %s: %s", part, error)


def check_missed() -> None:
    """Looks for missed jobs; a database that is away is looked at again the next time."""
    try:
        jobs.check_missed()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("missed jobs were not looked for: %s", error)


class WorkerHeartbeat(bootsteps.StartStopStep):
    """Runs in the event loop that takes messages from the broker: while it turns, tasks arrive."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer, **kwargs):
        super().__init__(consumer, **kwargs)
        self._timer = None

    def start(self, consumer) -> None:
        self._timer = consumer.timer.call_repeatedly(EVERY_SECONDS, show, ("worker",))
        show("worker")

    def stop(self, consumer) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def shutdown(self, consumer) -> None:
        self.stop(consumer)
        end("worker")


class Scheduler(DatabaseScheduler):
    """Staff see and change the schedule in the admin; each tick is a sign of life.

    Beat looks for missed jobs itself: a dead worker cannot say that it does not work.
    """

    _shown = _checked = float("-inf")

    def setup_schedule(self):
        jobs.enter_jobs()
        super().setup_schedule()

    def tick(self, *args, **kwargs):
        delay = super().tick(*args, **kwargs)
        if time.monotonic() - self._shown >= EVERY_SECONDS:
            show("beat")
            self._shown = time.monotonic()
        if time.monotonic() - self._checked >= MISSED_EVERY_SECONDS:
            self._checked = time.monotonic()
            check_missed()
        return min(delay, EVERY_SECONDS)

    def close(self) -> None:
        super().close()
        end("beat")
