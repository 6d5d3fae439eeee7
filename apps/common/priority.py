"""Who goes first where the processor does not do for all."""

import os
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")


def step_back(niceness: int) -> None:
    """Lets other processes go first: ``niceness`` from 0 (not at all) to 19.

    Linux may share the processor among sessions (``sched_autogroup_enabled``), and then a
    process's own niceness counts only within its session: one that leads a session asks for the
    whole of it.
    """
    os.nice(niceness)
    if niceness and os.getsid(0) == os.getpid():
        try:
            AUTOGROUP.write_text(str(os.nice(0)))
        except OSError:
            return  # no such thing here: the niceness alone counts
