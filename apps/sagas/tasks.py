"""Celery's side of the engine."""

import structlog
from celery import shared_task
from django.db import InterfaceError, OperationalError, close_old_connections

from apps.sagas.engine import leases
from apps.sagas.engine.driver import Driver
from apps.sagas.nudge import nudge, take_up

log = structlog.get_logger(__name__)
TURN_SECONDS = 5.0  # then others get the worker, and a stopping worker stops


@shared_task(ignore_result=True)
def drive() -> int:
    """Drives due runs until none is left or its turn is over; returns how many it claimed.

    While the database is away it says so in a line; leases end and pollers look again.
    """
    take_up()
    try:
        claimed = Driver(overloaded=nudge).drive(seconds=TURN_SECONDS)
        if leases.any_due():
            nudge()
    except (OperationalError, InterfaceError) as error:
        log.warning("saga.drive_failed", error=str(error))
        close_old_connections()
        return 0
    return claimed
