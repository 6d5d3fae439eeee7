"""What goes wrong between two commits of the engine, and what must not come of it."""

import threading

import psycopg
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, connections

from apps.common.databases import execute, fetch_one
from apps.sagas import facade
from apps.sagas.contracts import Outcome
from apps.sagas.engine import leases, store
from apps.sagas.engine.driver import drive_batch
from apps.sagas.models import SagaLogEntry, SagaRun

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])


def events(run: SagaRun) -> list[str]:
    entries = SagaLogEntry.objects.filter(run=run).order_by("id")
    return list(entries.values_list("event", flat=True))


@pytest.fixture
def during(recorder):
    """Lets ``what`` happen once, when the participant ``name`` has had its effects."""

    def during(name: str, what) -> None:
        waiting = [what]

        def execute(calls):
            outcomes = recorder.answer(name, calls)
            if waiting:
                waiting.pop()()
            return outcomes

        recorder.instead[name] = execute

    return during


def raising(error: Exception, *before):
    def what():
        for one in before:
            one()
        raise error

    return what


def test_a_step_that_may_have_had_its_effect_is_undone_when_its_repeat_is_stopped(
    start, drive, recorder, during
):
    stopped, other = start("stopped", "other")
    during("first", raising(ValueError("late"), lambda: facade.request_abort(stopped.pk)))
    drive()
    stopped.refresh_from_db()
    other.refresh_from_db()
    assert (stopped.status, other.status) == ("compensated", "completed")
    assert recorder.effects["first stopped"] == 1
    assert recorder.effects["undo_first stopped"] == 1


def test_a_run_that_was_turned_back_stays_so_when_its_neighbours_step_fails(
    start, recorder, during
):
    stopped, _ = start("stopped", "other")
    during("second", raising(OperationalError("the catalogue is gone")))
    during("first", lambda: facade.request_abort(stopped.pk))
    drive_batch()
    stopped.refresh_from_db()
    assert (stopped.status, stopped.error_code) == ("compensated", "abort_requested")
    assert events(stopped) == ["compensating"]
    assert recorder.effects["undo_first stopped"] == 1
    assert recorder.effects["second stopped"] == 0


def test_a_checkpoint_whose_commit_was_not_heard_of_is_not_taken_back(
    start, drive, recorder, monkeypatch
):
    [run] = start("k")
    heard = store.save

    def save_and_lose_the_answer(changes):
        heard(changes)
        connection = connections["orders"]
        if changes and changes[0].run.position == 1 and connection.in_atomic_block:
            monkeypatch.setattr(store, "save", heard)
            connection.connection.commit()  # it is committed …
            raise OperationalError("server closed the connection unexpectedly")  # … unheard

    monkeypatch.setattr(store, "save", save_and_lose_the_answer)
    drive()
    run.refresh_from_db()
    assert (run.position, run.attempt, run.status) == (1, 1, "in_progress")
    assert list(run.steps.values_list("name", "status")) == [("first", "completed")]
    SagaRun.objects.update(next_run_at="2020-01-01T00:00:00Z")  # the lease ran out
    drive()
    run.refresh_from_db()
    assert (run.status, recorder.effects["first k"]) == ("completed", 1)


@pytest.mark.parametrize("odd", ["a\x00b", "a\ud800b"])
def test_an_error_whose_text_cannot_be_stored_hurts_its_run_only(start, drive, recorder, odd):
    good, bad, refused = start("good", "bad", "refused")
    recorder.tell("first", "bad", *[ValueError(odd)] * 9)
    recorder.tell("second", "refused", Outcome.rejected(odd, odd))
    drive()
    statuses = [SagaRun.objects.get(pk=run.pk).status for run in (good, bad, refused)]
    assert statuses == ["completed", "compensated", "compensated"]
    refused.refresh_from_db()
    assert refused.error_code == "a�b"


def test_a_lost_connection_is_replaced_at_once(start, drive, recorder, during):
    [run] = start("k")

    def ask_on_a_dead_connection():
        [pid] = fetch_one("orders", "SELECT pg_backend_pid()")
        connections["orders"].copy().cursor().execute("SELECT pg_terminate_backend(%s)", [pid])
        fetch_one("orders", "SELECT 1")

    during("first", ask_on_a_dead_connection)
    drive_batch()
    run.refresh_from_db()
    assert (run.attempt, run.lease_token) == (2, 0)
    drive()
    run.refresh_from_db()
    assert run.status == "completed"


def test_a_lock_that_is_not_free_makes_a_batch_wait_once_not_once_per_run(
    start, drive, recorder, during
):
    runs = start(*(f"k{n}" for n in range(8)))
    other = connections["orders"].copy()
    other.cursor().execute("SELECT pg_advisory_lock(7)")

    def wait_for_the_lock():
        execute("orders", "SET lock_timeout = 20")
        try:
            execute("orders", "SELECT pg_advisory_lock(7)")
        finally:
            execute("orders", "SET lock_timeout = 10000")

    try:
        during("first", wait_for_the_lock)
        drive_batch()
    finally:
        other.close()
    assert recorder.batches == [8]
    assert set(SagaRun.objects.values_list("attempt", flat=True)) == {2}
    drive()
    assert SagaRun.objects.filter(status="completed").count() == len(runs)


def test_a_run_that_somebody_keeps_locked_waits_alone(start, drive, recorder, during):
    locked, other = start("locked", "other")
    dsn = connections["orders"].connection.info.dsn
    with psycopg.connect(dsn) as somebody:
        during(
            "first",
            lambda: somebody.execute(
                "SELECT FROM sagas_sagarun WHERE id = %s FOR UPDATE", [locked.pk]
            ),
        )
        execute("orders", "SET lock_timeout = 200")
        drive()
        other.refresh_from_db()
        locked.refresh_from_db()
        assert (other.status, locked.status) == ("completed", "in_progress")
        assert locked.lease_token  # its lease brings it to somebody
    execute("orders", "UPDATE sagas_sagarun SET next_run_at = now() WHERE id = %s", [locked.pk])
    drive()
    locked.refresh_from_db()
    assert locked.status == "completed"
    execute("orders", "RESET lock_timeout")


def test_leases_are_renewed_without_waiting_for_a_run_that_somebody_keeps_locked(start):
    locked, other = start("locked", "other")
    runs = leases.claim(limit=2, weight=10, lease=30.0)
    before = {run.id: run.leased_at for run in runs}
    with psycopg.connect(connections["orders"].connection.info.dsn) as somebody:
        somebody.execute("SELECT FROM sagas_sagarun WHERE id = %s FOR UPDATE", [locked.pk])
        execute("orders", "SET lock_timeout = 200")
        leases.renew(runs, 60.0)
    execute("orders", "RESET lock_timeout")
    assert {run.id for run in runs if run.leased_at > before[run.id]} == {other.pk}
    leases.renew(runs, 60.0)
    assert all(run.leased_at > before[run.id] for run in runs)


def test_runs_that_wait_for_their_batchs_slow_steps_stay_its_own(
    start, drive, recorder, during, settings
):
    _, waiting = start("slow", "waiting")
    SagaRun.objects.filter(pk=waiting.pk).update(position=2, step="third")
    settings.SAGA_LEASE_SECONDS = 0.3
    leases = []

    def look_after_a_while():
        leases.append(SagaRun.objects.get(pk=waiting.pk).lease_until)
        threading.Event().wait(0.15)

    during("first", look_after_a_while)
    during("second", look_after_a_while)
    drive_batch()
    assert leases[1] > leases[0]
    assert SagaRun.objects.filter(status="completed").count() == 2


def test_the_time_limit_of_the_task_is_not_taken_for_a_participants_error(start, recorder, during):
    start("a", "b")
    during("first", raising(SoftTimeLimitExceeded()))
    with pytest.raises(SoftTimeLimitExceeded):
        drive_batch()
    assert recorder.batches == [2]
    assert set(SagaRun.objects.values_list("attempt", "claims")) == {(1, 1)}
