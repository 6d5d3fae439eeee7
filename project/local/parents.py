"""What a process learns of the one that started it: on Linux; elsewhere the next start tidies."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
ON_LINUX = sys.platform == "linux"


def signal_at_our_death(number: int) -> Callable[[], None] | None:
    """For ``preexec_fn``: the child receives signal ``number`` when we die, however we die."""
    if not ON_LINUX:
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # we died before it counted
            os._exit(1)

    return arrange


def end_with_make() -> None:
    """A killed make takes us along, and we what we started."""
    if ON_LINUX and os.environ.get("MAKELEVEL"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


class InterruptedMake:
    """Notices a SIGINT sent to make alone.

    From a terminal Ctrl-C reaches both; make by itself passes only SIGTERM on, and after SIGINT it
    waits for us with its handler gone, which the kernel shows.
    """

    def __init__(self):
        self._status = Path(f"/proc/{os.getppid()}/status")
        self.watched = bool(os.environ.get("MAKELEVEL")) and self._catches()

    def noticed(self) -> bool:
        return self.watched and not self._catches()

    def _catches(self) -> bool:
        try:
            lines = self._status.read_text().splitlines()
        except OSError:
            return False
        masks = [line.split()[1] for line in lines if line.startswith("SigCgt:")]
        return bool(masks) and bool(int(masks[0], 16) >> (signal.SIGINT - 1) & 1)
