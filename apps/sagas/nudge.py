"""Wakes a worker. Only a hint: a run that nobody is told of is found by the poller.

Sent from a thread of its own, so that nobody who accepts an order waits for the broker, be it slow
or dead; at most one nudge waits to be sent, since one wakes for all.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import redis
import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.common.redis import durable
from apps.sagas.enums import DATABASE

log = structlog.get_logger(__name__)
TASK = "apps.sagas.tasks.drive"
FLAG = "holdfast:saga:nudged"
FLAG_MILLISECONDS = 1000


class Publisher:
    """One thread that sends one message for any number of nudges."""

    def __init__(self):
        self._lock = threading.Lock()
        self._waiting = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nudge")

    def nudge(self) -> None:
        with self._lock:
            if self._waiting:
                return
            self._waiting = True
        try:
            self._thread.submit(self._send)
        except RuntimeError as error:  # no thread to be had, or the process is ending
            self._waiting = False
            log.warning("saga.nudge_lost", error=str(error))

    def _send(self) -> None:
        self._waiting = False
        try:
            # The flag stands while a worker is on its way or at work: nobody else need send.
            if durable().set(FLAG, 1, nx=True, px=FLAG_MILLISECONDS):
                current_app.send_task(TASK, retry=False, ignore_result=True)
        except (redis.RedisError, OperationalError) as error:
            log.warning("saga.nudge_lost", error=str(error))


_publisher = Publisher()


def _renew() -> None:
    global _publisher
    _publisher = Publisher()


os.register_at_fork(after_in_child=_renew)  # threads do not survive a fork


def nudge() -> None:
    """Sends one message, soon, however many runs became due since the last was taken up."""
    _publisher.nudge()


def nudge_after_commit() -> None:
    """Nudges once the transaction on ``orders`` commits."""
    transaction.on_commit(nudge, using=DATABASE, robust=True)


def call_another() -> None:
    """Sends a message although a worker is at work: more is due than it can carry."""
    take_up()
    nudge()


def take_up() -> None:
    """Called by a worker before it looks for the last time: what comes from now on nudges anew."""
    _flag(lambda: durable().delete(FLAG))


def stay_up() -> None:
    """Called by a worker that goes on: what comes meanwhile it will find."""
    _flag(lambda: durable().set(FLAG, 1, px=FLAG_MILLISECONDS))


def _flag(change: Callable[[], object]) -> None:
    try:
        change()
    except redis.RedisError as error:
        log.warning("saga.nudge_flag_stays", error=str(error))
