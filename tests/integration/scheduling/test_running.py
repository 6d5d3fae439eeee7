"""A run is recorded whatever becomes of it, and only one of a job runs at a time."""

import pytest
from celery import current_app
from django.db import connections

from apps.common.databases import execute, fetch_one
from apps.scheduling import facade
from apps.scheduling.enums import Trigger
from apps.scheduling.locks import only_one
from apps.scheduling.models import JobRun, ScheduledJob
from apps.scheduling.running import job_run
from tests.processes import eventually

pytestmark = pytest.mark.django_db(databases="__all__")
# What begins transactions of its own kind, or is done by a worker, needs connections to itself.
alone = pytest.mark.django_db(transaction=True, databases="__all__")


def recorded() -> list[tuple[str, dict, str]]:
    return list(JobRun.objects.order_by("id").values_list("outcome", "counts", "error"))


def test_a_run_is_recorded_with_what_it_did(make_job):
    job = make_job(lambda: {"things": 3})
    result = job_run(job, trigger=Trigger.COMMAND)
    assert (result.outcome, result.counts) == ("succeeded", {"things": 3})
    [run] = JobRun.objects.all()
    assert (run.job_id, run.trigger, run.outcome, run.counts) == (
        *("sweep", "command", "succeeded"),
        {"things": 3},
    )
    assert run.started_at <= run.ended_at
    assert ScheduledJob.objects.get(pk="sweep").last_success_at >= run.ended_at


def test_a_failed_run_is_recorded_with_its_error_and_frees_the_lock(make_job):
    job = make_job(lambda: {"ratio": 1 // 0})
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            job_run(job, trigger=Trigger.SCHEDULE)
    assert [(outcome, error) for outcome, _, error in recorded()] == [
        ("failed", "ZeroDivisionError: integer division or modulo by zero")
    ] * 2
    assert ScheduledJob.objects.get(pk="sweep").last_success_at is None


def test_a_run_beside_another_does_nothing_and_says_so(make_job):
    inner = []
    job = make_job(lambda: inner.append(beside()) or {})

    def beside():
        """Another connection, as another process has."""
        with connections["catalog"].copy().cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('job sweep', 20261))")
            return cursor.fetchone()[0]

    job_run(job, trigger=Trigger.SCHEDULE)
    assert inner == [False]  # the lock was held while it ran
    other = connections["catalog"].copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended('job sweep', 20261))")
        result = job_run(job, trigger=Trigger.SCHEDULE)
    finally:
        other.close()
    assert (result.outcome, result.counts, inner) == ("refused", {}, [False])
    assert recorded()[-1] == ("refused", {}, "Another run is under way.")


def test_the_lock_of_a_dead_process_is_free(make_job):
    dead = connections["catalog"].copy()
    with dead.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended('job sweep', 20261))")
        pid = dead.connection.info.backend_pid
    dead.close()
    # Not pg_stat_activity, which stands still for as long as a transaction.
    gone = "SELECT NOT EXISTS (SELECT FROM pg_locks WHERE pid = %s)"
    eventually(lambda: fetch_one("catalog", gone, [pid])[0])  # the server hears of it, soon
    assert job_run(make_job(), trigger=Trigger.SCHEDULE).outcome == "succeeded"


def test_a_run_whose_process_died_is_found_by_the_next_one(make_job):
    job = make_job()
    job_run(job, trigger=Trigger.SCHEDULE)
    execute("default", "UPDATE scheduling_jobrun SET outcome = 'running', ended_at = NULL")
    job_run(job, trigger=Trigger.SCHEDULE)
    assert [(outcome, error) for outcome, _, error in recorded()] == [
        ("lost", "Its process died."),
        ("succeeded", ""),
    ]


def test_locks_of_two_jobs_do_not_meet():
    with only_one("catalog", "one") as first, only_one("catalog", "two") as second:
        assert (first, second) == (True, True)


@alone
def test_a_job_has_a_celery_task_that_runs_it(make_job):
    job = make_job(lambda: {"things": 1})
    current_app.tasks[job.task].apply(kwargs={"trigger": "staff", "asked_by": "Ann"}, throw=True)
    [run] = JobRun.objects.all()
    assert (run.trigger, run.asked_by, run.outcome) == ("staff", "Ann", "succeeded")


def test_two_jobs_cannot_share_a_name(make_job):
    make_job()
    with pytest.raises(ValueError, match="two jobs are called sweep"):
        make_job()


@alone
@pytest.mark.parametrize("name", [*facade.registered()])
def test_every_job_of_the_shop_runs_on_an_empty_shop_and_again(name, gateway):
    first, second = facade.run_here(name), facade.run_here(name)
    assert (first.outcome, second.outcome) == ("succeeded", "succeeded")
    assert first.counts.keys() == second.counts.keys()
    always = {"checks", "heartbeats"}
    assert sum(count for key, count in second.counts.items() if key not in always) == 0
