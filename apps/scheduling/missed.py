"""Notices that a job has not succeeded for two of its periods, by the database's clock."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models.functions import Now
from django_celery_beat.models import PeriodicTask

from apps.common.databases import fetch_all, fetch_one
from apps.scheduling.definition import registered
from apps.scheduling.enums import DATABASE
from apps.scheduling.models import JobAlert, ScheduledJob
from apps.scheduling.schedules import effective, overdue_at

log = structlog.get_logger(__name__)


def entries_by_task() -> dict[str, PeriodicTask]:
    """Beat's entries of the registered jobs, each with its schedule."""
    tasks = [job.task for job in registered().values()]
    rows = PeriodicTask.objects.using(DATABASE).filter(task__in=tasks)
    related = rows.select_related("interval", "crontab", "solar", "clocked")
    return {row.task: row for row in related.order_by("-id")}


def alerts_check() -> list[str]:
    """Raises an alert for each job that is missed, ends those that no longer hold.

    A paused job is not missed. Returns the names of the missed ones. Run it as often as you like.
    """
    jobs, entries = registered(), entries_by_task()
    [now] = fetch_one(DATABASE, "SELECT clock_timestamp()")
    late: list[tuple[ScheduledJob, datetime]] = []
    with transaction.atomic(using=DATABASE):
        for row in ScheduledJob.objects.using(DATABASE).filter(pk__in=jobs).order_by("pk"):
            entry = entries.get(jobs[row.pk].task)
            due = overdue_at(effective(jobs[row.pk], entry), row.last_success_at or row.since)
            if due < now and (entry is None or entry.enabled):
                late.append((row, due))
        for name, due in _raise(late):
            log.error("job.missed", job=name, due_at=due.isoformat())
        missed = [row.pk for row, _ in late]
        JobAlert.objects.using(DATABASE).filter(cleared_at=None).exclude(job_id__in=missed).update(
            cleared_at=Now()
        )
    return missed


def _raise(late: Sequence[tuple[ScheduledJob, datetime]]) -> list[tuple[str, datetime]]:
    """The alerts that this made: none where there is one, or where the job has just succeeded."""
    if not late:
        return []
    return fetch_all(
        DATABASE,
        """
        INSERT INTO scheduling_jobalert (job_id, due_at)
        SELECT job.name, late.due
        FROM unnest(%s::text[], %s::timestamptz[], %s::timestamptz[]) AS late(name, due, seen)
        JOIN scheduling_scheduledjob job ON job.name = late.name
        WHERE job.last_success_at IS NOT DISTINCT FROM late.seen
        ORDER BY job.name FOR SHARE OF job
        ON CONFLICT (job_id) WHERE cleared_at IS NULL DO NOTHING
        RETURNING job_id, due_at
        """,
        [
            [row.pk for row, _ in late],
            [due for _, due in late],
            [row.last_success_at for row, _ in late],
        ],
    )
