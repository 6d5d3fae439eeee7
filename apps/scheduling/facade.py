"""What others may do with scheduled jobs."""

from apps.common.errors import NotFound
from apps.scheduling import missed, running, selectors, services
from apps.scheduling.contracts import JobView, RunResult
from apps.scheduling.definition import Job, registered
from apps.scheduling.enums import Trigger


def register(job: Job) -> None:
    """Makes a job known, with its Celery task; called at start by ``project/wiring.py``."""
    services.job_register(job)


def enter_jobs() -> None:
    """Enters new jobs into the beat schedule; safe to repeat, keeps what staff have changed."""
    services.entries_enter()


def check_missed() -> list[str]:
    """Raises and ends alerts as due; returns the names of the jobs that are missed now."""
    return missed.alerts_check()


def board() -> list[JobView]:
    """Every job as it stands, checked for missed runs first."""
    missed.alerts_check()
    return selectors.board()


def run_now(name: str) -> None:
    """Sends a job to a worker for the member of staff at work."""
    services.job_run_now(name=name)


def run_here(name: str) -> RunResult:
    """Runs a job in this process. Raises ``NotFound`` and what the job raises."""
    job = registered().get(name)
    if job is None:
        raise NotFound(f"There is no job {name}; there are {', '.join(registered())}.")
    return running.job_run(job, trigger=Trigger.COMMAND)
