"""Celery's side of the engine."""

import time

import structlog
from celery import shared_task
from django.db import InterfaceError, OperationalError, close_old_connections

from apps.sagas.engine import choreography, leases
from apps.sagas.engine.driver import Driver
from apps.sagas.nudge import call_another, nudge, stay_up, take_up

log = structlog.get_logger(__name__)
TURN_SECONDS = 5.0  # then others get the worker, and a stopping worker stops
LINGER_SECONDS = 0.05  # several runs cost little more than one


@shared_task(ignore_result=True)
def drive() -> int:
    """Drives due runs until none is left or its turn is over; returns how many it claimed.

    While the database is away it says so in a line; leases end and pollers look again.
    """
    try:
        return _drive(time.monotonic() + TURN_SECONDS)
    except (OperationalError, InterfaceError) as error:
        log.warning("saga.drive_failed", error=str(error))
        close_old_connections()
        return 0


def _drive(end: float) -> int:
    claimed = 0
    while True:
        choreography.look_after()
        claimed += Driver(overloaded=call_another).drive(seconds=end - time.monotonic())
        time.sleep(LINGER_SECONDS)
        take_up()  # whoever comes from now on sends a message; who came before is found here
        if not leases.any_due():
            return claimed
        if time.monotonic() > end:
            nudge()
            return claimed
        stay_up()
