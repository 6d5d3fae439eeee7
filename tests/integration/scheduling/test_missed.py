"""A job that does not succeed for two of its periods raises one alert, which ends with a run."""

from datetime import timedelta

import pytest
from celery.schedules import crontab
from django_celery_beat.models import PeriodicTask

from apps.common.databases import execute
from apps.scheduling import facade, missed
from apps.scheduling.enums import Trigger
from apps.scheduling.models import JobAlert, ScheduledJob
from apps.scheduling.running import job_run

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])


@pytest.fixture
def job(make_job):
    made = make_job()
    facade.enter_jobs()
    return made


def let_pass(minutes: float) -> None:
    """As if the last success, and the job's beginning, were so much longer ago."""
    execute(
        "default",
        "UPDATE scheduling_scheduledjob SET since = since - make_interval(secs => %s),"
        " last_success_at = last_success_at - make_interval(secs => %s)",
        [minutes * 60, minutes * 60],
    )


def alerts() -> list[tuple[str, bool]]:
    return [(one.job_id, one.cleared_at is None) for one in JobAlert.objects.order_by("id")]


@pytest.mark.parametrize("ran", [True, False])
def test_a_job_is_missed_after_two_periods_and_not_before(job, ran):
    if ran:
        job_run(job, trigger=Trigger.SCHEDULE)
    let_pass(19.5)
    assert (facade.check_missed(), alerts()) == ([], [])
    let_pass(1)
    assert (facade.check_missed(), alerts()) == (["sweep"], [("sweep", True)])


def test_one_alert_is_raised_however_often_it_is_looked_for(job):
    let_pass(30)
    for _ in range(3):
        facade.check_missed()
    assert alerts() == [("sweep", True)]
    [alert] = JobAlert.objects.all()
    assert alert.due_at == ScheduledJob.objects.get(pk="sweep").since + timedelta(minutes=20)


def test_a_run_ends_the_alert_and_the_next_miss_raises_another(job):
    let_pass(30)
    facade.check_missed()
    job_run(job, trigger=Trigger.STAFF)
    assert alerts() == [("sweep", False)]
    assert facade.check_missed() == []
    let_pass(30)
    facade.check_missed()
    assert alerts() == [("sweep", False), ("sweep", True)]


def test_a_run_that_fails_ends_nothing(make_job):
    job = make_job(lambda: {"ratio": 1 // 0})
    facade.enter_jobs()
    let_pass(30)
    facade.check_missed()
    with pytest.raises(ZeroDivisionError):
        job_run(job, trigger=Trigger.SCHEDULE)
    assert (facade.check_missed(), alerts()) == (["sweep"], [("sweep", True)])


def test_a_paused_job_is_not_missed(job):
    let_pass(30)
    facade.check_missed()
    PeriodicTask.objects.filter(task=job.task).update(enabled=False)
    assert (facade.check_missed(), alerts()) == ([], [("sweep", False)])


def test_a_job_that_was_taken_out_of_the_schedule_is_missed(job):
    PeriodicTask.objects.filter(task=job.task).delete()
    let_pass(30)
    assert facade.check_missed() == ["sweep"]


def test_the_schedule_that_staff_have_set_counts(job):
    entry = PeriodicTask.objects.get(task=job.task)
    entry.interval.every = 3600
    entry.interval.save()
    let_pass(60)
    assert facade.check_missed() == []


def test_a_success_between_look_and_alert_wins(job):
    """The alert is guarded by the success it was decided on."""
    let_pass(30)
    stale = ScheduledJob.objects.get(pk="sweep")
    job_run(job, trigger=Trigger.SCHEDULE)
    assert missed._raise([(stale, stale.since)]) == []
    assert alerts() == []


def test_a_daily_job_is_missed_after_its_second_turn(make_job):
    make_job(schedule=crontab(hour=4, minute=30))
    facade.enter_jobs()
    execute(
        "default",
        "UPDATE scheduling_scheduledjob SET last_success_at ="
        " date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '19 hours'",
    )  # yesterday at 5:00: due today and tomorrow at 4:30
    assert facade.check_missed() == []
    let_pass(24 * 60)
    # Two turns ago: since 4:30 of today it is missed.
    [[today]] = [missed.fetch_one("default", "SELECT now()")]
    late = (today.hour, today.minute) >= (4, 30)
    assert facade.check_missed() == (["sweep"] if late else [])
    let_pass(24 * 60)
    assert facade.check_missed() == ["sweep"]
