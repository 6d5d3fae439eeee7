"""Real processes of the shop on the databases of the test: web, worker, beat, commands.

The fixture ``shop`` starts them on demand and ends them with the test. Tests that use it need
``@pytest.mark.django_db(transaction=True, databases="__all__")``, since other processes see only
what is committed.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import urllib3
from django.conf import settings as django_settings
from django.db import connections

ROOT = Path(__file__).resolve().parents[1]
VARIABLES = {
    "default": "CUSTOMERS_DATABASE_URL",
    "catalog": "CATALOG_DATABASE_URL",
    "orders": "ORDERS_DATABASE_URL",
    "reporting": "REPORTING_DATABASE_URL",
}


def eventually(what: Callable[[], object], *, seconds: float = 30.0, every: float = 0.05) -> object:
    """``what()`` as soon as it is true; fails if that takes longer than ``seconds``."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(every)
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A child in a process group of its own, with its output in a file."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: Path):
        self.name, self.log = name, log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill -9 of it and all its children."""
        self._signal(signal.SIGKILL)

    def wait(self, seconds: float = 60.0) -> int:
        """Its exit code."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"{self.name} still runs after {seconds} s:\n{self.output()[-4000:]}")

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.popen.pid, number)
        except ProcessLookupError:
            pass
        self.popen.wait(20)


class Shop:
    """The shop's processes; ``environment`` is what all of them get."""

    def __init__(self, directory: Path, gateway):
        self.directory, self.gateway = directory, gateway
        self.processes: list[Process] = []
        self.port = free_port()
        self.environment = gateway.environment | {
            "QUEUE_REDIS_URL": django_settings.QUEUE_REDIS_URL,
            "CACHE_URL": django_settings.CACHE_URL,
            "SECRET_KEY": django_settings.SECRET_KEY,
            "SAGA_LEASE_SECONDS": "2",
            "GATEWAY_READ_TIMEOUT": "1",
            "API_ANONYMOUS_REQUESTS_PER_MINUTE": "0",
            "API_USER_REQUESTS_PER_MINUTE": "0",
        }
        for alias, variable in VARIABLES.items():
            database = connections[alias].settings_dict
            self.environment[variable] = (
                f"postgres://{database['USER']}:{quote(database['PASSWORD'], safe='')}"
                f"@{quote(database['HOST'], safe='')}:{database['PORT'] or 5432}/{database['NAME']}"
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str, *words: str, **environment: str) -> Process:
        """``python words`` with the shop's environment and ``environment`` besides."""
        log = self.directory / f"{name}.log"
        one = Process(name, [sys.executable, *words], self.environment | environment, log)
        self.processes.append(one)
        return one

    def manage(self, *words: str, **environment: str) -> Process:
        """``manage.py words``."""
        return self.start(words[0], "manage.py", *words, **environment)

    def worker(self, **environment: str) -> Process:
        """A Celery worker that dies as a whole (no children)."""
        return self.start(
            "worker",
            *("-m", "celery", "-A", "project", "worker", "--pool", "solo", "--loglevel", "INFO"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            **environment,
        )

    def web(self, **environment: str) -> Process:
        """The web server on ``url``; returns once it answers."""
        web = self.start(
            "web",
            *("-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1"),
            *("--port", str(self.port), "--workers", "1", "--blocking-threads", "8"),
            *("--respawn-failed-workers", "project.wsgi:application"),
            DATABASE_POOL_MAX_SIZE="8",
            **environment,
        )
        eventually(lambda: web.popen.poll() is not None or self.answers())
        assert web.popen.poll() is None, web.output()
        return web

    def answers(self) -> bool:
        try:
            return urllib3.request("GET", f"{self.url}/livez", retries=False).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def close(self) -> None:
        for process in self.processes:
            process.kill()


@pytest.fixture
def shop(tmp_path, gateway) -> Iterator[Shop]:
    """The shop's processes on the test's databases, with a gateway of its own."""
    one = Shop(tmp_path, gateway)
    yield one
    one.close()
