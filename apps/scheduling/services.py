"""Writes on jobs from outside: their entries in the beat schedule, and a run asked for by staff."""

from datetime import timedelta

from celery import current_app, shared_task
from celery.schedules import crontab
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from kombu.exceptions import OperationalError

from apps.common.actor import current_actor
from apps.common.databases import fetch_one
from apps.common.errors import NotFound, Unavailable
from apps.messaging.staff_log import staff_change
from apps.scheduling import definition
from apps.scheduling.definition import Job, registered
from apps.scheduling.enums import DATABASE, Trigger
from apps.scheduling.running import job_run, jobs_enter

SUBJECT = "scheduling.scheduledjob"
UNITS = (
    (IntervalSchedule.DAYS, 86_400),
    (IntervalSchedule.HOURS, 3_600),
    (IntervalSchedule.MINUTES, 60),
    (IntervalSchedule.SECONDS, 1),
)


def job_register(job: Job) -> None:
    """Makes the job known and gives it its Celery task."""
    definition.register(job)

    def run(trigger: str = Trigger.SCHEDULE, asked_by: str = "") -> None:
        job_run(job, trigger=Trigger(trigger), asked_by=asked_by)

    run.__doc__ = job.about
    shared_task(name=job.task, ignore_result=True)(run)


def entries_enter() -> None:
    """Enters each job into the beat schedule, once: what staff have changed since stays.

    A message that waits longer than a period is dropped: the next one is due by then.
    """
    with transaction.atomic(using=DATABASE):
        # Beat and a migration may do this at once.
        fetch_one(DATABASE, "SELECT pg_advisory_xact_lock(hashtextextended('job entries', 0))")
        jobs_enter(list(registered()))
        tasks = PeriodicTask.objects.using(DATABASE)
        known = {task.name: task for task in tasks.filter(name__in=_titles())}
        for job in registered().values():
            entry = known.get(job.title)
            if entry is None:
                tasks.create(
                    name=job.title, task=job.task, description=job.about, **_schedule(job.schedule)
                )
            elif (entry.task, entry.description) != (job.task, job.about):
                entry.task, entry.description = job.task, job.about
                entry.save(update_fields=["task", "description", "date_changed"])


def job_run_now(*, name: str) -> None:
    """Sends the job to a worker and notes which member of staff asked.

    Raises ``NotFound``, and ``Unavailable`` where the queue does not answer; nothing is noted then.
    """
    job = registered().get(name)
    if job is None:
        raise NotFound("There is no such job.")
    actor = current_actor()
    with transaction.atomic(using=DATABASE):
        staff_change(DATABASE, subject=SUBJECT, subject_id=name, action="run_now")
        try:
            current_app.send_task(
                job.task,
                kwargs={"trigger": Trigger.STAFF.value, "asked_by": actor.name if actor else ""},
                retry=False,
                ignore_result=True,
            )
        except OperationalError as error:
            raise Unavailable("The queue does not answer: nothing was started.") from error


def _titles() -> list[str]:
    return [job.title for job in registered().values()]


def _schedule(schedule: timedelta | crontab) -> dict:
    if isinstance(schedule, crontab):
        row = CrontabSchedule.from_schedule(schedule)
        row.save(using=DATABASE)
        return {"crontab": row}
    seconds = int(schedule.total_seconds())
    period, length = next(unit for unit in UNITS if seconds % unit[1] == 0)
    wanted = {"every": seconds // length, "period": period}
    intervals = IntervalSchedule.objects.using(DATABASE)
    row = intervals.filter(**wanted).first() or intervals.create(**wanted)
    return {"interval": row, "expire_seconds": seconds}
