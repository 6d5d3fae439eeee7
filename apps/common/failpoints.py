"""Named points at which a process can be made to die, listed in ``failpoint_names``.

``FAILPOINT=name:nth:kill|raise|sleep`` acts when the process passes ``name`` for the nth time:
``kill`` ends it at once with SIGKILL, ``raise`` raises ``FailpointReached``, ``sleep`` stays for
``FAILPOINT_SLEEP_SECONDS``. ``FAILPOINT_FILE`` names a file that arms a running process in the same
words: whoever gets there first takes the file away and acts, the others forget it.

Settings refuse both unless ``FAILPOINTS_ENABLED`` is on. Without it a failpoint costs one
comparison.
"""

import os
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.common.failpoint_names import NAMES

ACTIONS = ("kill", "raise", "sleep")
LONGEST_SLEEP = 600.0  # seconds
LOOK_EVERY = 0.05  # seconds between two looks at FAILPOINT_FILE


class FailpointReached(RuntimeError):
    """Raised by a failpoint whose action is ``raise``."""


@dataclass
class Armed:
    """The one failpoint this process is to act upon."""

    name: str
    nth: int
    action: str
    passed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def parse(cls, text: str) -> "Armed":
        name, _, rest = text.partition(":")
        nth, _, action = rest.partition(":")
        if not nth.isdecimal() or int(nth) < 1 or action not in ACTIONS:
            raise ImproperlyConfigured(f"FAILPOINT={text!r} is not name:nth:{'|'.join(ACTIONS)}")
        if name not in NAMES:
            raise ImproperlyConfigured(f"FAILPOINT={text!r}: there is no failpoint {name!r}")
        return cls(name, int(nth), action)

    def is_due(self, name: str) -> bool:
        """Counts a pass of ``name``; whether it is the one to act upon."""
        if name != self.name:
            return False
        with self.lock:
            self.passed += 1
            return self.passed == self.nth

    def reach(self, name: str) -> None:
        if self.is_due(name):
            self.act()

    def act(self) -> None:
        if self.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.action == "raise":
            raise FailpointReached(self.name)
        else:
            time.sleep(min(settings.FAILPOINT_SLEEP_SECONDS, LONGEST_SLEEP))


class ArmedByFile:
    """Whatever ``path`` says now: each text is acted upon once, by one process."""

    def __init__(self, path: Path):
        self.path = path
        self._taken = path.with_name(f"{path.name}.taken")
        self._text = ""
        self._armed: Armed | None = None
        self._look_at = 0.0

    def reach(self, name: str) -> None:
        if time.monotonic() >= self._look_at:
            self._look()
        armed = self._armed
        if armed is not None and armed.is_due(name) and self._take():
            armed.act()

    def _look(self) -> None:
        self._look_at = time.monotonic() + LOOK_EVERY
        try:
            text = self.path.read_text().strip()
        except FileNotFoundError:
            text = ""
        if text != self._text:
            self._text, self._armed = text, Armed.parse(text) if text else None

    def _take(self) -> bool:
        """Whether the file was still there to be taken."""
        try:
            self.path.rename(self._taken)
        except FileNotFoundError:
            return False
        return True


def _from_settings() -> Armed | ArmedByFile | None:
    if not settings.FAILPOINT and not settings.FAILPOINT_FILE:
        return None
    if not settings.FAILPOINTS_ENABLED:
        raise ImproperlyConfigured("FAILPOINT or FAILPOINT_FILE is set, FAILPOINTS_ENABLED is not")
    if settings.FAILPOINT:
        return Armed.parse(settings.FAILPOINT)
    return ArmedByFile(Path(settings.FAILPOINT_FILE))


_armed = _from_settings()


def failpoint(name: str) -> None:
    """Marks a point before or after a commit; does nothing unless the process is armed."""
    if _armed is not None:
        _armed.reach(name)
