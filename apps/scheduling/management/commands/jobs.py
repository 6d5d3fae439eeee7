"""Shows the scheduled jobs, or runs one here. Exits with 1 where a job is missed."""

import sys
from dataclasses import asdict
from typing import Any

import orjson
from django.core.management import BaseCommand, CommandError

from apps.common.errors import HoldfastError
from apps.scheduling import facade
from apps.scheduling.contracts import JobView


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")
        parser.add_argument("--run", metavar="NAME", help="run this job now, in this process")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["run"]:
            self._run(options["run"], as_json=options["json"])
            return
        jobs = facade.board()
        if options["json"]:
            answer = [asdict(job) | {"missed": job.missed} for job in jobs]
            self.stdout.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        else:
            for job in jobs:
                self.stdout.write(line(job))
        if any(job.missed for job in jobs):
            sys.exit(1)

    def _run(self, name: str, *, as_json: bool) -> None:
        try:
            result = facade.run_here(name)
        except HoldfastError as error:
            raise CommandError(error.detail) from error
        if as_json:
            self.stdout.write(orjson.dumps(result).decode())
        elif result.outcome == "refused":
            self.stdout.write(f"{name}: already running, nothing was done")
        else:
            self.stdout.write(f"{name}: {counted(result.counts) or 'done'}")


def line(job: JobView) -> str:
    """One job in one line."""
    last = "never ran"
    if job.last_started_at is not None:
        last = f"{job.last_outcome} {job.last_started_at:%Y-%m-%d %H:%M:%S}"
        last += f" ({job.last_seconds:.1f} s) {counted(job.last_counts)}"
    due = f"next {job.next_run_at:%Y-%m-%d %H:%M:%S}" if job.next_run_at else "paused"
    flag = "MISSED" if job.missed else "ok"
    return f"{job.name:20} {flag:6} {job.schedule:22} {due:26} {last.strip()}"


def counted(counts: dict[str, int]) -> str:
    """``3 holds, 7 pieces``."""
    return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in counts.items())
