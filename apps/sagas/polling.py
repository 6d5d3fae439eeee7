"""Looks by itself for runs that are due, in a thread of each worker.

A run whose nudge was lost, whose retry has come or whose holder died is found here, whether or not
beat runs and whatever other databases are away. It never drives runs itself.
"""

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from apps.common.polling import Poller
from apps.sagas.engine import leases
from apps.sagas.enums import DATABASE
from apps.sagas.nudge import nudge

log = structlog.get_logger(__name__)
EVERY_SECONDS = 0.5


def poller(every: float = EVERY_SECONDS) -> Poller:
    """One thread that nudges while a run is due."""
    return Poller("saga-poller", _look, every, lambda: connections[DATABASE].close())


def _look() -> None:
    try:
        close_old_connections()
        if leases.any_due():
            nudge()
    except (DatabaseError, InterfaceError) as error:
        log.warning("saga.poll_failed", error=str(error))
