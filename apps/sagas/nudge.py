"""Wakes a worker. Only a hint: a run that nobody is told of is found by the poller."""

import redis
import structlog
from django.db import transaction

from apps.common.redis import durable
from apps.sagas.enums import DATABASE

log = structlog.get_logger(__name__)
FLAG = "holdfast:saga:nudged"
FLAG_MILLISECONDS = 1000


def nudge_after_commit() -> None:
    """Nudges once the transaction on ``orders`` commits; its failure never reaches the caller."""
    transaction.on_commit(nudge, using=DATABASE, robust=True)


def nudge() -> None:
    """Sends one message however many runs became due since the last was taken up."""
    from apps.sagas.tasks import drive  # the task drives what it is nudged for

    try:
        if durable().set(FLAG, 1, nx=True, px=FLAG_MILLISECONDS):
            drive.apply_async(retry=False)
    except (redis.RedisError, drive.OperationalError) as error:
        log.warning("saga.nudge_lost", error=str(error))


def take_up() -> None:
    """Called by the task before it looks for work: what comes from now on nudges anew."""
    try:
        durable().delete(FLAG)
    except redis.RedisError as error:
        log.warning("saga.nudge_flag_stays", error=str(error))
