"""Celery's side of the engine."""

import time

from celery import shared_task

from apps.sagas.engine import store
from apps.sagas.engine.driver import drive_batch
from apps.sagas.nudge import nudge, take_up

TURN_SECONDS = 5.0  # then others get the worker, and a stopping worker stops


@shared_task(ignore_result=True)
def drive() -> int:
    """Drives due runs until none is left or its turn is over; returns how many it claimed."""
    take_up()
    end = time.monotonic() + TURN_SECONDS
    claimed = 0
    while count := drive_batch():
        claimed += count
        if time.monotonic() > end:
            nudge()
            break
    return claimed


@shared_task(ignore_result=True)
def recover() -> None:
    """The poller: nudges when a run is due that no nudge was heard for. Never drives itself."""
    if store.any_due():
        nudge()
