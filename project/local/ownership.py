"""Who runs the servers below ``var/``: one owner at a time, any number of guests.

Both are advisory file locks, which vanish with the process that holds them: nothing is stale.
"""

import fcntl
import os
import signal
import time
from typing import Any, TextIO

import psutil

from project.local import owner, postgres
from project.local.places import Places, make_private
from project.local.supervisor import say

# In the environment of every process a supervisor starts, and so of all their children.
MARK = "HOLDFAST_CHILD_OF"


class Ownership:
    """The right to start and stop the servers of ``places``."""

    def __init__(self, places: Places):
        self.places = places
        make_private(places.var, places.mode)
        self._lock: TextIO | None = None
        self._guests: TextIO | None = None

    def take(self, what: str) -> bool:
        """Becomes the owner, unless there is one; ``what`` tells others what we run.

        Ends what a killed owner left behind.
        """
        for _ in range(5):  # somebody who only asks for the ports holds it for a moment
            self._lock = owner.try_lock(self.places.owner_lock, fcntl.LOCK_EX)
            if self._lock is not None:
                break
            time.sleep(0.02)
        else:
            return False
        self.publish(what=what, ready=False)
        end_leftovers(self.places)
        return True

    def publish(self, **facts: Any) -> None:
        """Tells guests ``facts`` about us, above all whether the servers are ready."""
        owner.publish(self.places, **facts)

    def facts(self) -> dict[str, Any]:
        """What the present owner published; empty before it did."""
        return owner.facts(self.places)

    def visit(self) -> bool:
        """Becomes a guest of the owner, who then waits for us before it stops its servers."""
        self._guests = owner.try_lock(self.places.guests_lock, fcntl.LOCK_SH)
        return self._guests is not None

    def leave(self) -> None:
        """Ends a visit."""
        if self._guests is not None:
            self._guests.close()
            self._guests = None

    def last_one(self) -> bool:
        """For the owner: whether no guest is left; then none can come any more."""
        if self._guests is None:
            self._guests = owner.try_lock(self.places.guests_lock, fcntl.LOCK_EX)
        return self._guests is not None

    def release(self) -> None:
        """Ends the ownership, once everything is stopped."""
        self.publish(ready=False)
        self.leave()
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def end_leftovers(places: Places) -> None:
    """Ends what a killed supervisor of ``places`` left running; the caller owns them.

    Only processes that carry our mark in their environment, and the servers whose command line
    names this cluster or one of these sockets (they may have overwritten their environment).
    """
    ours = {one.pid: one for one in psutil.process_iter() if _is_ours(one, places)}
    if (server := postgres.running(places)) is not None:
        ours[server.pid] = server
    if not ours:
        return
    say(f"ending {len(ours)} processes that an earlier start left behind")
    told: set[int] = set()
    deadline = time.monotonic() + 15
    while alive := {pid: one for pid, one in ours.items() if _is_alive(one)}:
        for pid, process in alive.items():
            if time.monotonic() > deadline:
                _send(process, signal.SIGKILL)
            elif pid not in told and _parent(process) not in alive:  # leaders first
                _send(process, signal.SIGINT if process == server else signal.SIGTERM)
                told.add(pid)
        time.sleep(0.05)


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.Error:
        return None


def _send(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)  # psutil makes sure that the number is not another's by now
    except psutil.NoSuchProcess:
        pass


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_ours(process: psutil.Process, places: Places) -> bool:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        if process.name() in ("redis-server", "valkey-server"):
            title = " ".join(process.cmdline())
            return any(f"unixsocket:{one}" in title for one in places.redis_sockets)
        return process.environ().get(MARK) == str(places.var)
    except (psutil.Error, OSError):
        return False
