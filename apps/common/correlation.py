"""The id that joins everything one request caused: its logs, its saga, its events."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from random import getrandbits

from structlog.contextvars import bound_contextvars

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the request (or task) being served; ``""`` outside of one."""
    return _request_id.get()


def sane_request_id(offered: str | None) -> str:
    """``offered`` if it is 1-64 characters of ``A-Za-z0-9._-``, else a new id."""
    if offered and SANE.fullmatch(offered):
        return offered
    return f"{getrandbits(128):032x}"  # it must differ, not be secret


@contextmanager
def request_id_bound(request_id: str) -> Iterator[None]:
    """Makes ``request_id`` current, here and in every log line, until the block ends."""
    token = _request_id.set(request_id)
    try:
        with bound_contextvars(request_id=request_id):
            yield
    finally:
        _request_id.reset(token)
