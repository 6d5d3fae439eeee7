"""When a job is due: reading the schedules that beat follows."""

from datetime import datetime, timedelta

from celery.schedules import BaseSchedule, crontab, maybe_schedule, schedule
from celery.utils.time import remaining
from django_celery_beat.models import PeriodicTask

from apps.scheduling.definition import Job

DAY = timedelta(days=1)


def effective(job: Job, entry: PeriodicTask | None) -> BaseSchedule:
    """What beat follows, or what was declared where staff have removed the entry."""
    return maybe_schedule(job.schedule) if entry is None else entry.schedule


def next_after(plan: BaseSchedule, moment: datetime) -> datetime:
    """The first time after ``moment`` that ``plan`` names; a day later where it follows the sun."""
    if isinstance(plan, crontab):
        start, delta, _ = plan.remaining_delta(moment)
        return start + remaining(start, delta, start)
    if isinstance(plan, schedule):
        return moment + plan.run_every
    return moment + DAY


def overdue_at(plan: BaseSchedule, moment: datetime) -> datetime:
    """When a job that succeeded at ``moment`` is missed: after two turns without a success."""
    return next_after(plan, next_after(plan, moment))


def words(job: Job, entry: PeriodicTask | None) -> str:
    """The schedule for people: ``every minute``, ``At 04:30 AM UTC``."""
    if entry is None:
        return "Not in the beat schedule"
    if entry.crontab is not None:
        return entry.crontab.human_readable
    return str(entry.interval or entry.solar or entry.clocked)
