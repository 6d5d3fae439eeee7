"""The beat board: each job with its schedule, its last run and its next."""

from datetime import datetime

from django.db.models import Max
from django_celery_beat.models import PeriodicTask

from apps.common.databases import fetch_one
from apps.scheduling.contracts import JobView
from apps.scheduling.definition import Job, registered
from apps.scheduling.enums import DATABASE, Outcome
from apps.scheduling.missed import entries_by_task
from apps.scheduling.models import JobAlert, JobRun, ScheduledJob
from apps.scheduling.schedules import effective, next_after, words


def board() -> list[JobView]:
    """Every registered job, in the order of their names; a few queries, however many runs."""
    jobs, entries = registered(), entries_by_task()
    rows = ScheduledJob.objects.using(DATABASE).in_bulk()
    newest = (
        JobRun.objects.using(DATABASE)
        .exclude(outcome=Outcome.REFUSED)
        .filter(job_id__in=jobs)
        .order_by("job_id", "-id")
        .distinct("job_id")
    )
    runs = {run.job_id: run for run in newest}
    alerts = dict(
        JobAlert.objects.using(DATABASE)
        .filter(cleared_at=None)
        .values_list("job_id")
        .annotate(due=Max("due_at"))
    )
    [now] = fetch_one(DATABASE, "SELECT clock_timestamp()")
    return [
        _view(job, entries.get(job.task), rows.get(name), runs.get(name), alerts.get(name), now)
        for name, job in jobs.items()
    ]


def _view(
    job: Job,
    entry: PeriodicTask | None,
    row: ScheduledJob | None,
    run: JobRun | None,
    missed_since: datetime | None,
    now: datetime,
) -> JobView:
    return JobView(
        name=job.name,
        title=job.title,
        about=job.about,
        schedule=words(job, entry),
        enabled=entry is not None and entry.enabled,
        last_started_at=run.started_at if run else None,
        last_outcome=run.outcome if run else None,
        last_seconds=((run.ended_at or now) - run.started_at).total_seconds() if run else None,
        last_counts=run.counts if run else {},
        last_error=run.error if run else "",
        last_success_at=row.last_success_at if row else None,
        next_run_at=_next(job, entry, run, now),
        missed_since=missed_since,
    )


def _next(
    job: Job, entry: PeriodicTask | None, run: JobRun | None, now: datetime
) -> datetime | None:
    """When beat starts it next; never in the past, for beat starts what is due at once."""
    if entry is None or not entry.enabled:
        return None
    known = [moment for moment in (entry.last_run_at, run and run.started_at) if moment]
    return max(next_after(effective(job, entry), max(known, default=now)), now)
