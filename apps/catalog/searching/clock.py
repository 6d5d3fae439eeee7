"""No search keeps the database busy for long."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connections, transaction

from apps.catalog.enums import DATABASE
from apps.common.errors import Unavailable

TIMEOUT_MS = 2_000
CANCELLED = "57014"


@contextmanager
def in_time() -> Iterator[None]:
    """Each statement in the block has ``TIMEOUT_MS``; then ``Unavailable`` (``search_timeout``)."""
    try:
        with transaction.atomic(using=DATABASE):
            with connections[DATABASE].cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {TIMEOUT_MS:d}")
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != CANCELLED:
            raise
        raise Unavailable("The search took too long.", code="search_timeout") from error
