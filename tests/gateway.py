"""A real sandbox gateway for tests: its own process, its own record, killable.

Use the fixture ``gateway``; the settings point to it while the test runs. A process that a test
starts finds it through ``env=os.environ | gateway.environment``.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 20


class SandboxGateway:
    """A gateway process on a port of its own; ``restart`` keeps port and record."""

    def __init__(self, data: Path):
        self.data = data
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {"GATEWAY_URL": self.url}

    def start(self) -> None:
        """Starts it and returns once it answers."""
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "apps.payments.sandbox"),
                *("--port", str(self.port), "--data", str(self.data)),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()  # it says so when it listens
        assert self.url in line, f"the gateway did not start: {line!r}"

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """The orderly end."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """kill -9 and a new process on the same port and record."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Lets it hang: connections are taken by the kernel, nothing answers."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def payments(self) -> list[dict]:
        """All payments by the gateway's own record, oldest first."""
        with urllib3.PoolManager() as pool:
            found, after = [], 0
            while after is not None:
                page = pool.request("GET", f"{self.url}/v1/payments?after={after}&limit=1000")
                found += page.json()["payments"]
                after = page.json()["next"]
        return found

    def _end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(timeout=START_SECONDS)
            self.process.stdout.close()
            self.process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def gateway(tmp_path, settings) -> Iterator[SandboxGateway]:
    """A gateway of the test's own, with a short read time-out in the settings."""
    one = SandboxGateway(tmp_path / "gateway")
    one.start()
    settings.GATEWAY_URL = one.url
    settings.GATEWAY_READ_TIMEOUT = 1.0
    yield one
    one.kill()
