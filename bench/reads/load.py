"""Runs ``wrk``: https://github.com/wg/wrk, ``apt-get install wrk``."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = 32
PACED_CONNECTIONS = 64


def wrk() -> str:
    """The program's path; ends where it is not installed."""
    if found := shutil.which("wrk"):
        return found
    raise SystemExit("wrk is not on PATH. Debian and Ubuntu: sudo apt-get install wrk")


@dataclass(frozen=True, slots=True)
class Load:
    """A list of requests (a file of ``catalogue.requests``) and how they are sent."""

    requests: Path
    token: str = ""
    close: bool = False
    per_second: float = 0.0  # 0: as many as are answered

    def run(self, origin: str, server: psutil.Process, seconds: float) -> dict[str, Any]:
        """One run: wrk's figures, ``per_second``, and the server's processor time for each."""
        connections = PACED_CONNECTIONS if self.per_second else CONNECTIONS
        pause = 1_000 * connections / self.per_second if self.per_second else 0
        command = [wrk(), "--threads", "1", "--connections", str(connections)]
        command += ["--duration", f"{seconds:.0f}s", "--timeout", "10s", "--script", str(SCRIPT)]
        words = [str(self.requests), f"{pause:.3f}", self.token, "close" if self.close else ""]
        before = _cpu_seconds(server)
        done = subprocess.run(
            [*command, origin, "--", *words], capture_output=True, text=True, check=False
        )
        found = parsed(done.stdout)
        if done.returncode or found is None:
            raise SystemExit(f"wrk: {done.stdout[-500:]}{done.stderr[-500:]}")
        cpu = _cpu_seconds(server) - before
        return found | {"cpu_us": 1e6 * cpu / max(found["requests"], 1)}


def parsed(output: str) -> dict[str, Any] | None:
    """The figures in what wrk printed; None where there are none."""
    lines = [line for line in output.splitlines() if line.startswith("JSON ")]
    if not lines:
        return None
    found = json.loads(lines[-1].removeprefix("JSON "))
    return found | {"per_second": found["requests"] / found["seconds"]}


def _cpu_seconds(server: psutil.Process) -> float:
    times = [one.cpu_times() for one in (server, *server.children(recursive=True))]
    return sum(one.user + one.system for one in times)
