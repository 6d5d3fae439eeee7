"""The main job: ``make demo`` on an empty shop of its own, timed, with the memory it took.

The three-day sample always, the whole year with ``--full FILE``. The shop lives in a temporary
``HOLDFAST_VAR`` and is thrown away; servers named by URLs in the environment are left out.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
MEMORY_TARGET_MB = 500
SAMPLE_SECONDS, YEAR_SECONDS = 30.0, 240.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Result:
    """One replay. ``seconds`` is the job's own time, ``wall_seconds`` that of ``make demo`` with
    starting and stopping the servers; memory is the replaying process's peak (resident)."""

    file: str
    stock: str
    rows: int
    orders: int
    lines: int
    returns: int
    seconds: float
    target_seconds: float
    orders_per_second: float
    wall_seconds: float
    peak_memory_mb: float
    violations: int

    @property
    def passed(self) -> bool:
        return (
            self.seconds < self.target_seconds
            and self.peak_memory_mb < MEMORY_TARGET_MB
            and not self.violations
        )


def add_parser(benchmarks) -> None:
    """Adds ``replay`` to the command line."""
    parser = benchmarks.add_parser("replay", help="make demo: the sample, and the year if given")
    parser.add_argument("--full", type=Path, metavar="FILE", help="the whole year's file as well")
    parser.add_argument("--stock", choices=["ample", "scarce"], default="ample")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Replays and prints; 1 if a target was missed or the books did not balance."""
    jobs = [(None, SAMPLE_SECONDS)]
    if arguments.full:
        jobs.append((arguments.full.resolve(), YEAR_SECONDS))
    results = [measure(file, arguments.stock, target) for file, target in jobs]
    if arguments.json:
        print(json.dumps({"replay": [asdict(one) | {"passed": one.passed} for one in results]}))
    else:
        for one in results:
            print(
                f"{one.file}, {one.stock}: {one.orders:,} orders, {one.lines:,} lines,"
                f" {one.returns:,} returns in"
                f" {one.seconds:.1f} s (target {one.target_seconds:.0f} s),"
                f" {one.orders_per_second:,.0f} orders/s, peak {one.peak_memory_mb:.0f} MB"
                f" (target {MEMORY_TARGET_MB} MB), {one.violations} violations:"
                f" {'passed' if one.passed else 'MISSED'}"
            )
    return 0 if all(one.passed for one in results) else 1


def measure(file: Path | None, stock: str, target: float) -> Result:
    """One ``make demo`` on an empty shop."""
    var = Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
    command = ["make", "--silent", "demo", f"PYTHON={sys.executable}", f"STOCK={stock}"]
    command += ["ARGS=--json", *([f"FILE={file}"] if file else [])]
    begun = time.monotonic()
    try:
        with (var / "output").open("w+") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment(var), stdout=output, stderr=sys.stderr
            )
            peak = watch(process)
            output.seek(0)
            answers = [line for line in output if line.startswith("{")]
    finally:
        shutil.rmtree(var, ignore_errors=True)
    if not answers:
        sys.exit(f"make demo ended with {process.returncode} and no answer")
    answer = json.loads(answers[-1])
    return Result(
        file=file.name if file else "three-day sample",
        stock=stock,
        rows=answer["rows"],
        orders=answer["orders"]["placed"],
        lines=answer["lines"],
        returns=answer["returns"]["completed"],
        seconds=answer["seconds"],
        target_seconds=target,
        orders_per_second=answer["orders"]["placed"] / answer["seconds"],
        wall_seconds=round(time.monotonic() - begun, 3),
        peak_memory_mb=round(peak / 2**20, 1),
        violations=answer["audit"]["violations"],
    )


def environment(var: Path) -> dict[str, str]:
    """The environment of a shop of its own: nothing that names another one's servers."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_URL") and name not in ("PORT", "GATEWAY_PORT")
    }
    with socket.socket() as web, socket.socket() as gateway:
        for one in (web, gateway):
            one.bind(("127.0.0.1", 0))
        ports = [str(one.getsockname()[1]) for one in (web, gateway)]
    return kept | {"HOLDFAST_VAR": str(var), "PORT": ports[0], "GATEWAY_PORT": ports[1]}


def watch(process: subprocess.Popen) -> int:
    """Waits for the end; the most bytes of memory the replaying process had."""
    peak = 0
    while process.poll() is None:
        try:
            for child in psutil.Process(process.pid).children(recursive=True):
                if "replay_sales" in child.cmdline():
                    peak = max(peak, child.memory_info().rss)
        except psutil.NoSuchProcess:
            pass  # it ended between two looks
        time.sleep(POLL_SECONDS)
    return peak
