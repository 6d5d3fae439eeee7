"""Named points at which a test may make a process die.

``FAILPOINT=name:nth:kill|raise|sleep`` acts when the process passes ``name`` for the nth time:
``kill`` ends it at once with SIGKILL, ``raise`` raises ``FailpointReached``, ``sleep`` stays for
an hour. Settings refuse the variable unless ``FAILPOINTS_ENABLED`` is on. Without it a failpoint
costs one comparison.
"""

import os
import signal
import threading
import time
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

ACTIONS = ("kill", "raise", "sleep")


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
        if not name or not nth.isdecimal() or int(nth) < 1 or action not in ACTIONS:
            raise ImproperlyConfigured(f"FAILPOINT={text!r} is not name:nth:{'|'.join(ACTIONS)}")
        return cls(name, int(nth), action)


def _from_settings() -> Armed | None:
    if not settings.FAILPOINT:
        return None
    if not settings.FAILPOINTS_ENABLED:
        raise ImproperlyConfigured("FAILPOINT is set but FAILPOINTS_ENABLED is not")
    return Armed.parse(settings.FAILPOINT)


_armed = _from_settings()


def failpoint(name: str) -> None:
    """Marks a point after (or before) a commit; does nothing unless armed for ``name``."""
    armed = _armed
    if armed is None or armed.name != name:
        return
    with armed.lock:
        armed.passed += 1
        if armed.passed != armed.nth:
            return
    if armed.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif armed.action == "raise":
        raise FailpointReached(name)
    else:
        time.sleep(3600)
