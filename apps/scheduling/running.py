"""Carries a job out: under its lock, with a record that outlives it."""

import structlog
from django.db import transaction
from django.db.models.functions import Now

from apps.common.databases import execute
from apps.scheduling.contracts import RunResult
from apps.scheduling.definition import Counts, Job
from apps.scheduling.enums import DATABASE, Outcome, Trigger
from apps.scheduling.locks import only_one
from apps.scheduling.models import JobAlert, JobRun, ScheduledJob

log = structlog.get_logger(__name__)
LONGEST_ERROR = 2_000


def job_run(job: Job, *, trigger: Trigger, asked_by: str = "") -> RunResult:
    """Runs the job, unless it is running: then nothing is done but to say so (``refused``).

    What the job raises is recorded with the run and raised again.
    """
    with only_one(job.database, job.name) as mine:
        run_id = _begin(job, trigger, asked_by, Outcome.RUNNING if mine else Outcome.REFUSED)
        if not mine:
            log.info("job.already_running", job=job.name)
            return RunResult(run_id, Outcome.REFUSED.value, {})
        try:
            counts = job.function()
        except Exception as error:
            _end(job, run_id, Outcome.FAILED, {}, f"{type(error).__name__}: {error}")
            raise
        _end(job, run_id, Outcome.SUCCEEDED, counts)
        log.info("job.done", job=job.name, **counts)
        return RunResult(run_id, Outcome.SUCCEEDED.value, dict(counts))


def _begin(job: Job, trigger: Trigger, asked_by: str, outcome: Outcome) -> int:
    with transaction.atomic(using=DATABASE):
        jobs_enter([job.name])
        refused = outcome == Outcome.REFUSED
        if not refused:  # this run has the lock, so whoever seems to be running is dead
            JobRun.objects.using(DATABASE).filter(job_id=job.name, outcome=Outcome.RUNNING).update(
                outcome=Outcome.LOST, ended_at=Now(), error="Its process died."
            )
        return (
            JobRun.objects.using(DATABASE)
            .create(
                job_id=job.name,
                trigger=trigger,
                asked_by=asked_by[:300],
                outcome=outcome,
                error="Another run is under way." if refused else "",
                ended_at=Now() if refused else None,
            )
            .pk
        )


def _end(job: Job, run_id: int, outcome: Outcome, counts: Counts, error: str = "") -> None:
    with transaction.atomic(using=DATABASE):
        JobRun.objects.using(DATABASE).filter(pk=run_id).update(
            outcome=outcome, counts=dict(counts), error=error[:LONGEST_ERROR], ended_at=Now()
        )
        if outcome == Outcome.SUCCEEDED:
            # The job's row first: whoever raises an alert holds it too (missed.alerts_check).
            ScheduledJob.objects.using(DATABASE).filter(pk=job.name).update(last_success_at=Now())
            JobAlert.objects.using(DATABASE).filter(job_id=job.name, cleared_at=None).update(
                cleared_at=Now()
            )


def jobs_enter(names: list[str]) -> None:
    """Makes these jobs known to the database; known ones are left as they are."""
    execute(
        DATABASE,
        "INSERT INTO scheduling_scheduledjob (name) SELECT unnest(%s::text[])"
        " ON CONFLICT DO NOTHING",
        [sorted(names)],
    )


def runs_forget(*, days: int, most: int) -> int:
    """Removes at most ``most`` ended runs that are older than ``days``; returns how many."""
    return execute(
        DATABASE,
        """
        DELETE FROM scheduling_jobrun WHERE id IN (
            SELECT id FROM scheduling_jobrun
            WHERE started_at < now() - make_interval(days => %s) AND outcome <> 'running'
            ORDER BY started_at LIMIT %s FOR UPDATE SKIP LOCKED
        )
        """,
        [days, most],
    )
