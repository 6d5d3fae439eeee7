"""The shop's processes, found among the children of the supervisor that started them."""

import os
import signal
from collections.abc import Callable

import psutil

from project import env
from project.local import postgres


def _has(*words: str) -> Callable[[list[str]], bool]:
    return lambda command: all(any(word in one for one in command) for word in words)


LEADERS: dict[str, Callable[[list[str]], bool]] = {
    "web": _has("granian"),
    "worker": _has("celery", "worker"),
    "beat": _has("celery", "beat"),
    "relay": _has("manage.py", "relay"),
    "consumer": _has("manage.py", "consume"),
    "mailer": _has("manage.py", "send_mails"),
    "rabbitmq": _has("rabbit"),
    "gateway": _has("apps.payments.sandbox"),
    "redis": _has(str(env.PLACES.redis_durable)),
    "cache": _has(str(env.PLACES.redis_cache)),
}


class Processes:
    """``supervisor`` is the process whose children are the shop's; nothing else is touched."""

    def __init__(self, supervisor: int):
        self._supervisor = psutil.Process(supervisor)

    def leader(self, name: str) -> psutil.Process | None:
        """The process of the part ``name`` that the supervisor watches, if it lives now."""
        if name == "postgres":
            return postgres.running(env.PLACES)
        for child in self._supervisor.children():
            if LEADERS[name](_command(child)):
                return child
        return None

    def children(self, name: str) -> list[psutil.Process]:
        """The workers below the leader of ``name``."""
        leader = self.leader(name)
        if leader is None:
            return []
        try:
            found = leader.children()
        except psutil.NoSuchProcess:
            return []
        return [one for one in found if "tracker" not in " ".join(_command(one))]

    def kill(self, process: psutil.Process | None) -> int | None:
        """kill -9; the pid, or None where it was gone already."""
        return self.send(process, signal.SIGKILL)

    def send(self, process: psutil.Process | None, number: int) -> int | None:
        if process is None:
            return None
        try:
            process.send_signal(number)  # psutil makes sure that the number is not another's by now
        except psutil.NoSuchProcess:
            return None
        return process.pid


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def ours() -> Processes:
    return Processes(os.getppid())
