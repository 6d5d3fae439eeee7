"""Work in a process of its own, forked from this one: as real as a fresh one, and there at once."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

from celery import current_app
from django.db import connections

from apps.common import failpoints

LONGEST = 30.0  # seconds


def forked(work: Callable[[], None], *, failpoint: str = "") -> int:
    """Runs ``work`` in a child, armed with ``failpoint``; its exit code, or minus its signal."""
    for connection in connections.all():
        connection.close()  # the child must not talk on ours, nor end them
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _be_the_child(work, failpoint)
    return _code_of(child)


def _be_the_child(work: Callable[[], None], failpoint: str) -> None:
    code = 1
    try:
        current_app._after_fork()  # celery does so for the children it forks itself
        _forget_connections()
        if failpoint:
            failpoints._armed = failpoints.Armed.parse(failpoint)
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the parent hears of it by the code
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _forget_connections() -> None:
    """A browser's event loop that runs in the parent hides connections from it, not from us."""
    for connection in connections.all(initialized_only=True):
        del connections[connection.alias]


def _code_of(child: int) -> int:
    end = time.monotonic() + LONGEST
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError(f"the child still worked after {LONGEST} s")
        time.sleep(0.005)
