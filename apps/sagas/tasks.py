"""Celery's side of the engine."""

from celery import shared_task

from apps.sagas.engine import leases
from apps.sagas.engine.driver import Driver
from apps.sagas.nudge import nudge, take_up

TURN_SECONDS = 5.0  # then others get the worker, and a stopping worker stops


@shared_task(ignore_result=True)
def drive() -> int:
    """Drives due runs until none is left or its turn is over; returns how many it claimed."""
    take_up()
    claimed = Driver(overloaded=nudge).drive(seconds=TURN_SECONDS)
    if leases.any_due():
        nudge()
    return claimed
