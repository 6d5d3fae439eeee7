"""Holders of claimed runs that stop where they are told to: to wait, to fail or to die.

Each is a thread with connections of its own. Only one thread runs at a time – whoever lets a holder
go on waits for its report – so that a course of events can be repeated exactly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any, ClassVar

from django.db import OperationalError, connections

OUTSIDE = (  # no transaction is open here: a holder may stay for as long as it likes
    "saga.claim.after_commit",
    "saga.begin.after_commit",
    "saga.execute.after",
    "saga.checkpoint.after_commit",
    "saga.change.after_commit",
    "inbox.before",
    "inbox.after",
    "bank.before",
    "bank.after",
)
INSIDE = (
    "saga.begin.before_commit",
    "saga.checkpoint.before_commit",
    "saga.change.before_commit",
    "inbox.before_commit",
)
SECONDS = 30.0


class Died(SystemExit):
    """What is left of a holder that was killed: the exit that the engine lets pass."""


class Bug(RuntimeError):
    """An error that nobody expected."""


@dataclass(frozen=True)
class Stop:
    """What happens when ``point`` is passed for the ``nth`` time: pause, die, raise, disconnect."""

    point: str
    nth: int
    action: str


class Holder:
    """A thread that does one piece of work after another, and stops where it is told to."""

    running: ClassVar["Holder | None"] = None
    shaken: ClassVar[int] = 0  # errors so far that were no participant's fault

    def __init__(self):
        self.stop: Stop | None = None
        self.passed = 0
        self.paused = ""  # the point where it waits
        self.token: int | None = None  # of the batch it holds
        self._reports: SimpleQueue = SimpleQueue()
        self._orders: SimpleQueue = SimpleQueue()
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def begin(self, work: Callable[[], Any], stop: Stop | None) -> None:
        """Does ``work`` up to ``stop``."""
        self._go(work, stop)

    def go_on(self, stop: Stop | None) -> None:
        """From where it waits up to ``stop``."""
        self._go("go on", stop)

    def die(self) -> None:
        """Where it waits."""
        self._go("die", None)

    def close(self) -> None:
        if self.paused:
            self.die()
        self._orders.put(None)
        self._thread.join(SECONDS)

    def _go(self, order: Any, stop: Stop | None) -> None:
        self.stop, self.passed, self.paused = stop, 0, ""
        Holder.running = self
        self._orders.put(order)
        word, value = self._reports.get(timeout=SECONDS)
        Holder.running = None
        if word == "paused":
            self.paused = value
        else:
            self.token = None
        if isinstance(value, Exception) and not isinstance(value, (Bug, OperationalError)):
            raise value

    def _serve(self) -> None:
        while (work := self._orders.get()) is not None:
            try:
                report = ("done", work())
            except Died:
                connections.close_all()  # as its sockets would be
                report = ("died", None)
            except Exception as error:  # noqa: BLE001 - reported to whoever waits
                report = ("raised", error)
            self._reports.put(report)
        connections.close_all()

    def reached(self, name: str) -> str:
        """Acts if this is the place to; returns the action that was taken."""
        if self.stop is None or self.stop.point != name:
            return ""
        self.passed += 1
        if self.passed != self.stop.nth:
            return ""
        action = self.stop.action
        if action == "pause":
            self._reports.put(("paused", name))
            if self._orders.get() == "die":
                action = "die"
        if action == "die":
            raise Died(-9)
        return action


def point(name: str) -> None:
    """A place that a holder passes."""
    holder = Holder.running
    action = holder.reached(name) if holder else ""
    if action in ("raise", "disconnect"):
        Holder.shaken += 1
        if action == "raise":
            raise Bug(name)
        raise OperationalError(f"server closed the connection unexpectedly at {name}")
