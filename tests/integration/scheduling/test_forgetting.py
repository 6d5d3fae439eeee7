"""Answers to repeated requests and records of runs are kept for their time, and no longer."""

import pytest
from django.conf import settings as django_settings

from apps.common.databases import execute
from apps.messaging import idempotency
from apps.messaging.models import IdempotencyRecord
from apps.scheduling import jobs
from apps.scheduling.enums import Outcome, Trigger
from apps.scheduling.models import JobRun
from apps.scheduling.running import job_run, runs_forget

pytestmark = pytest.mark.django_db(databases="__all__")


def answer(alias: str, key: str, *, hours: float) -> None:
    IdempotencyRecord.objects.using(alias).create(
        principal="p", key=key, request_hash="", response={}
    )
    execute(
        alias,
        "UPDATE messaging_idempotencyrecord SET created_at = now() - make_interval(secs => %s)"
        " WHERE key = %s",
        [hours * 3600, key],
    )


def test_answers_older_than_a_day_go_in_every_database():
    for alias in django_settings.DATABASES:
        answer(alias, "old", hours=24.1)
        answer(alias, "new", hours=23.9)
    assert jobs.forget_records.function() == {"answers": 4, "job_runs": 0}
    for alias in django_settings.DATABASES:
        assert [one.key for one in IdempotencyRecord.objects.using(alias)] == ["new"]


def test_no_more_than_a_batch_goes_at_once_the_oldest_first():
    for hours in (30, 40, 50):
        answer("orders", str(hours), hours=hours)
    assert idempotency.forget("orders", hours=24, most=2) == 2
    assert [one.key for one in IdempotencyRecord.objects.using("orders")] == ["30"]


def test_old_runs_go_but_for_those_under_way(make_job):
    job = make_job()
    for _ in range(3):
        job_run(job, trigger=Trigger.SCHEDULE)
    execute("default", "UPDATE scheduling_jobrun SET started_at = now() - interval '31 days'")
    under_way = JobRun.objects.latest("id")
    JobRun.objects.filter(pk=under_way.pk).update(outcome=Outcome.RUNNING)
    assert runs_forget(days=30, most=10) == 2
    assert list(JobRun.objects.all()) == [under_way]
