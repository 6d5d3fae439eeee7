"""Looks by itself for runs that are due, in a thread of each worker.

A run whose nudge was lost, whose retry has come or whose holder died is found here, whether or not
beat runs and whatever other databases are away.
"""

import threading

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from apps.sagas.engine import leases
from apps.sagas.enums import DATABASE
from apps.sagas.nudge import nudge

log = structlog.get_logger(__name__)
EVERY_SECONDS = 0.5


class Poller:
    """One thread that nudges while a run is due. It never drives runs itself."""

    def __init__(self, every: float = EVERY_SECONDS):
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="saga-poller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; waits until it has."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self._look()
        connections[DATABASE].close()

    def _look(self) -> None:
        try:
            close_old_connections()
            if leases.any_due():
                nudge()
        except (DatabaseError, InterfaceError) as error:
            log.warning("saga.poll_failed", error=str(error))
        except Exception:  # nobody would begin this thread again
            log.exception("saga.poll_failed")
