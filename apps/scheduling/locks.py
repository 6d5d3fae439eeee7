"""One run of a job at a time, wherever it is started."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import DatabaseError, InterfaceError

from apps.common.databases import fetch_one

log = structlog.get_logger(__name__)
SPACE = 20_261  # tells these keys from other advisory locks


@contextmanager
def only_one(alias: str, name: str) -> Iterator[bool]:
    """Whether this process has the lock of job ``name`` until the block ends.

    It belongs to the connection to ``alias``: a process that dies gives it back at once.
    """
    key = [f"job {name}", SPACE]
    [mine] = fetch_one(alias, "SELECT pg_try_advisory_lock(hashtextextended(%s, %s))", key)
    try:
        yield mine
    finally:
        if mine:
            try:
                fetch_one(alias, "SELECT pg_advisory_unlock(hashtextextended(%s, %s))", key)
            except (DatabaseError, InterfaceError) as error:
                # The connection is gone, and the lock with it.
                log.warning("job.unlock_failed", job=name, error=str(error))
