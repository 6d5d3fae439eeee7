"""Jobs stand in beat's schedule from the start; what staff change there stays."""

from datetime import timedelta

import pytest
from django_celery_beat.models import PeriodicTask

from apps.scheduling import facade
from apps.scheduling.definition import registered
from apps.scheduling.models import ScheduledJob
from project import heartbeat
from project.celery import app

pytestmark = pytest.mark.django_db(transaction=True, databases=["default"])


def test_a_migrated_shop_has_every_job_in_its_schedule():
    entries = {entry.task: entry for entry in PeriodicTask.objects.all()}
    for job in registered().values():
        assert (entries[job.task].name, entries[job.task].enabled) == (job.title, True)
        assert job.task in app.tasks
    assert set(ScheduledJob.objects.values_list("pk", flat=True)) >= registered().keys()


def test_the_shops_jobs_run_as_declared():
    assert {name: str(job.schedule) for name, job in registered().items()} == {
        "audit": "<crontab: 30 4 * * * (m/h/dM/MY/d)>",
        "clear-sessions": "1:00:00",
        "count-sales": "0:01:00",
        "count-words": "<crontab: 50 * * * * (m/h/dM/MY/d)>",
        "expire-holds": "0:01:00",
        "forget-mails": "<crontab: 40 3 * * * (m/h/dM/MY/d)>",
        "forget-records": "1:00:00",
        "invalidate-pending": "0:00:05",
        "know-products": "0:01:00",
        "make-event-partitions": "<crontab: 20 2 * * * (m/h/dM/MY/d)>",
        "purge-customers": "<crontab: 20 3 * * * (m/h/dM/MY/d)>",
        "purge-events": "0:10:00",
        "purge-products": "<crontab: 10 3 * * * (m/h/dM/MY/d)>",
        "read-model-heartbeat": "0:01:00",
        "reconcile-events": "0:01:00",
        "reconcile-money": "0:05:00",
    }


def test_what_staff_have_changed_stays_and_the_task_follows_the_code(make_job):
    make_job(schedule=timedelta(minutes=10))
    facade.enter_jobs()
    entry = PeriodicTask.objects.get(name="Sweep")
    entry.enabled = False
    entry.interval.every = 7
    entry.interval.save()
    entry.task = "its.old.name"
    entry.save()

    facade.enter_jobs()
    again = PeriodicTask.objects.get(name="Sweep")
    assert (again.pk, again.enabled, again.interval.every, again.task) == (
        *(entry.pk, False, 7),
        "jobs.sweep",
    )


def test_beat_enters_new_jobs_when_it_starts(make_job):
    make_job()
    heartbeat.Scheduler(app=app, lazy=False)
    assert PeriodicTask.objects.filter(task="jobs.sweep").count() == 1


def test_beat_looks_for_missed_jobs_and_survives_a_database_that_is_away(make_job, monkeypatch):
    from django.db import OperationalError

    looked = []

    def check() -> list[str]:
        looked.append(None)
        raise OperationalError("away")

    make_job()
    beat = heartbeat.Scheduler(app=app, lazy=False)
    monkeypatch.setattr(beat, "_heap", [])
    monkeypatch.setattr(heartbeat.jobs, "check_missed", check)
    beat.tick()
    beat.tick()  # too soon for a second look
    assert looked == [None]
