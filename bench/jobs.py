"""Processes that do a part of the work: each takes a job, says ``ready``, goes, answers."""

import json
import subprocess
import sys
import time
from collections.abc import Callable

from bench.replay import ROOT


def run_jobs(
    module: str,
    jobs: list[dict],
    environment: dict[str, str],
    at_start: Callable[[], None] = lambda: None,
    at_end: Callable[[], None] = lambda: None,
) -> list[dict]:
    """Runs ``module`` once for each job, all begun at the same time; their answers."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", module],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in jobs
    ]
    try:
        for process, job in zip(processes, jobs, strict=True):
            _tell(process, json.dumps(job))
        for process in processes:
            _hear(process, module)
        at_start()
        for process in processes:
            _tell(process, "go")
        answers = [json.loads(_hear(process, module)) for process in processes]
        at_end()
        return answers
    finally:
        _end(processes)


def _tell(process: subprocess.Popen, line: str) -> None:
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _hear(process: subprocess.Popen, module: str) -> str:
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{module} ended with {process.wait()} and no answer")
    return line


def _end(processes: list[subprocess.Popen]) -> None:
    deadline = time.monotonic() + 20
    for process in processes:
        try:
            process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
