"""A person's hand on a run, on the real engine: retry, compensate, park, mark done."""

import pytest
from django.db import transaction

from apps.common.actor import Actor, acting
from apps.common.errors import InvalidInput, VersionConflict
from apps.messaging.models import StaffChange
from apps.sagas import facade
from apps.sagas.contracts import Outcome
from apps.sagas.engine import leases
from apps.sagas.engine.driver import drive_batch
from apps.sagas.errors import NotRepairable, RunHeld, RunNotFound
from apps.sagas.models import SagaLogEntry, SagaRun, SagaStep

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])
ANN = Actor("1", "Ann <ann@example.com>")
NO = Outcome.rejected("no", "not this one")
STUCK = Outcome.rejected("stuck", "cannot be undone")
BUSY = Outcome.retryable("busy")


@pytest.fixture
def by_ann():
    with acting(lambda: ANN):
        yield


def fresh(run: SagaRun) -> SagaRun:
    return SagaRun.objects.get(pk=run.pk)


def events(run: SagaRun) -> list[str]:
    return list(SagaLogEntry.objects.filter(run=run).order_by("id").values_list("event", flat=True))


def act(action, run: SagaRun, reason: str = "the part is back"):
    return action(run.pk, fresh(run).version, reason)


def undone(run: SagaRun) -> dict[str, tuple[str, int]]:
    rows = SagaStep.objects.filter(run=run, direction="B")
    return {row.name: (row.status, row.attempts) for row in rows}


class TestRetry:
    def test_a_run_that_waits_for_its_next_attempt_is_due_now(self, start, recorder, drive):
        [run] = start("k")
        recorder.tell("first", "k", BUSY)
        drive_batch()
        SagaRun.objects.update(next_run_at="2100-01-01T00:00:00Z", attempt=17)
        assert drive_batch() == 0
        assert act(facade.retry_run, run).status == "in_progress"
        assert fresh(run).attempt == 2  # not 1: it has been tried
        drive()
        assert (fresh(run).status, recorder.effects["first k"]) == ("completed", 2)
        assert events(run) == ["retryable", "staff_retry"]

    def test_given_up_compensations_are_tried_again_and_no_others(self, start, recorder, drive):
        [run] = start("k")
        recorder.tell("third", "k", NO)
        recorder.tell("undo_second", "k", STUCK)
        drive()
        assert (fresh(run).status, fresh(run).parked_steps) == ("failed", 1)
        assert act(facade.retry_run, run).status == "compensating"
        drive()
        assert fresh(run).status == "compensated"
        assert fresh(run).error_code == "no"  # what turned it back, not what parked it
        assert recorder.effects["undo_second k"] == 2
        assert recorder.effects["undo_first k"] == 1
        assert undone(run) == {"second": ("compensated", 1), "first": ("compensated", 1)}

    def test_one_that_fails_again_is_parked_again(self, start, recorder, drive):
        [run] = start("k")
        recorder.tell("third", "k", NO)
        recorder.tell("undo_second", "k", STUCK, STUCK)
        recorder.tell("undo_first", "k", STUCK)
        drive()
        assert fresh(run).parked_steps == 2
        act(facade.retry_run, run)
        drive()
        assert (fresh(run).status, fresh(run).parked_steps) == ("failed", 1)
        assert {name: status for name, (status, _) in undone(run).items()} == {
            "second": "failed",
            "first": "compensated",
        }
        act(facade.retry_run, run)
        drive()
        assert (fresh(run).status, fresh(run).parked_steps) == ("compensated", 0)
        assert recorder.effects["undo_first k"] == 2

    def test_a_compensation_is_told_what_turned_the_run_back(self, start, recorder, drive):
        told = []

        def note(calls):
            told.extend(call.reason for call in calls)
            return [STUCK if len(told) == 1 else Outcome.success() for _ in calls]

        [run] = start("k")
        recorder.tell("second", "k", NO)
        recorder.instead["undo_first"] = note
        drive()
        act(facade.retry_run, run)
        drive()
        assert told == ["no", "no"]

    def test_a_parked_run_whose_deadline_passed_meanwhile_goes_forward(self, start, drive):
        [run] = start("k")
        act(facade.park_run, run)
        SagaRun.objects.update(deadline_at="2020-01-01T00:00:00Z")
        act(facade.retry_run, run)
        drive()
        assert fresh(run).status == "completed"

    def test_one_that_killed_its_workers_comes_alone(self, start, drive):
        run, *_ = start("killer", "other")
        SagaRun.objects.filter(pk=run.pk).update(claims=leases.MAX_CLAIMS)
        drive()
        assert fresh(run).error_code == "no_progress"
        start("third")
        act(facade.retry_run, run)
        assert [one.id for one in leases.claim(limit=9, weight=99, lease=30)] == [run.pk]

    @pytest.mark.parametrize("change", [{"step": "renamed"}, {"kind_version": 9}])
    def test_a_run_without_its_definition_is_left_alone(self, start, drive, change):
        [run] = start("k")
        SagaRun.objects.update(**change)
        drive()
        with pytest.raises(NotRepairable):
            act(facade.retry_run, run)
        assert fresh(run).error_code == "definition_changed"

    def test_what_has_ended_stays_so(self, start, recorder, drive):
        done, undone = start("done", "undone")
        recorder.tell("second", "undone", NO)
        drive()
        for run in (done, undone):
            for action in ACTIONS:
                before = SagaRun.objects.filter(pk=run.pk).values()[0]
                with pytest.raises(NotRepairable):
                    act(action, run)
                assert SagaRun.objects.filter(pk=run.pk).values()[0] == before


class TestCompensate:
    def test_a_live_run_turns_back_before_its_next_step(self, start, recorder, drive):
        [run] = start("k")
        recorder.tell("second", "k", BUSY)
        drive_batch()
        act(facade.compensate_run, run, "the customer rang")
        drive()
        assert (fresh(run).status, fresh(run).error_code) == ("compensated", "stopped_by_staff")
        assert recorder.effects["undo_second k"] == 1  # it may have had its effect
        assert events(run) == ["retryable", "staff_compensate", "compensating"]

    def test_a_held_run_is_asked_too(self, start, recorder, drive):
        [run] = start("k")

        def asked_meanwhile(calls):
            act(facade.compensate_run, run)
            return recorder.answer("first", calls)

        recorder.instead["first"] = asked_meanwhile
        drive_batch()
        assert fresh(run).status == "compensated"
        assert recorder.effects["undo_first k"] == 1
        assert recorder.effects["second k"] == 0

    def test_a_parked_run_undoes_its_step_too_for_it_may_have_begun(self, start, recorder, drive):
        [run] = start("k")
        recorder.tell("second", "k", BUSY)
        drive_batch()
        act(facade.park_run, run)
        drive()
        assert (fresh(run).status, fresh(run).step) == ("failed", "second")
        act(facade.compensate_run, run)
        drive()
        assert fresh(run).status == "compensated"
        assert set(undone(run)) == {"first", "second"}

    def test_one_that_is_turned_back_already_is_retried_instead(self, start, recorder, drive):
        [run] = start("k")
        recorder.tell("second", "k", NO)
        recorder.tell("undo_first", "k", STUCK)
        drive()
        with pytest.raises(NotRepairable, match="turned back already"):
            act(facade.compensate_run, run)


class TestPark:
    def test_no_worker_takes_it_until_it_is_sent_on(self, start, recorder, drive):
        [run] = start("k")
        assert act(facade.park_run, run, "let me look").status == "failed"
        drive()
        assert recorder.effects == {}
        run.refresh_from_db()
        assert (run.error_code, run.error_detail) == ("parked_by_staff", "let me look")
        act(facade.retry_run, run)
        drive()
        assert fresh(run).status == "completed"
        assert events(run) == ["staff_park", "parked", "staff_retry"]

    def test_a_run_whose_holder_died_is_parked_and_the_holder_writes_nothing(
        self, start, recorder, drive
    ):
        [run] = start("k")
        [held] = leases.claim(limit=9, weight=99, lease=30)
        with pytest.raises(RunHeld):
            act(facade.park_run, run)
        SagaRun.objects.update(lease_until="2020-01-01T00:00:00Z")
        act(facade.park_run, run)
        with transaction.atomic(using="orders"):
            assert leases.hold([held], 30)[0] == []
        # What the dead holder may have done is undone when the run turns back.
        act(facade.compensate_run, run)
        drive()
        assert recorder.effects["undo_first k"] == 1

    def test_a_compensating_run_goes_on_where_it_was(self, start, recorder, drive):
        [run] = start("k")
        recorder.tell("third", "k", NO)
        recorder.tell("undo_second", "k", BUSY)
        drive_batch()
        act(facade.park_run, run)
        act(facade.retry_run, run)
        drive()
        assert (fresh(run).status, fresh(run).error_code) == ("compensated", "no")
        assert recorder.effects["undo_first k"] == 1


class TestMarkDone:
    def test_a_parked_step_is_taken_for_done_and_the_run_goes_on(
        self, start, recorder, drive, by_ann
    ):
        [run] = start("k")
        recorder.tell("first", "k", BUSY)
        drive_batch()
        act(facade.park_run, run)
        act(facade.mark_step_done, run, "seen at the gateway")
        drive()
        assert fresh(run).status == "completed"
        assert recorder.effects["first k"] == 1
        step = SagaStep.objects.get(run=run, name="first")
        assert step.status == "completed"
        assert step.result == {"marked_done": "Ann <ann@example.com>: seen at the gateway"}

    def test_compensations_are_marked_one_by_one(self, start, recorder, drive):
        [run] = start("k")
        recorder.tell("third", "k", NO)
        recorder.tell("undo_second", "k", STUCK)
        recorder.tell("undo_first", "k", STUCK)
        drive()
        assert fresh(run).parked_steps == 2
        act(facade.mark_step_done, run)
        assert (fresh(run).status, fresh(run).parked_steps) == ("failed", 1)
        act(facade.mark_step_done, run)
        assert (fresh(run).status, fresh(run).parked_steps) == ("compensated", 0)
        drive()
        assert recorder.effects["undo_first k"] == recorder.effects["undo_second k"] == 1

    def test_halfway_back_the_others_are_still_undone(self, start, recorder, drive):
        [run] = start("k")
        recorder.tell("third", "k", NO)
        recorder.tell("undo_second", "k", BUSY)
        drive_batch()
        act(facade.park_run, run)
        assert act(facade.mark_step_done, run).status == "compensating"
        drive()
        assert fresh(run).status == "compensated"
        assert (recorder.effects["undo_second k"], recorder.effects["undo_first k"]) == (1, 1)

    def test_a_live_run_is_parked_first(self, start):
        [run] = start("k")
        with pytest.raises(NotRepairable, match="park it first"):
            act(facade.mark_step_done, run)


ACTIONS = (facade.retry_run, facade.compensate_run, facade.park_run, facade.mark_step_done)


class TestGuards:
    @pytest.mark.parametrize("action", ACTIONS)
    def test_at_a_stale_version_nothing_is_written(self, start, action):
        [run] = start("k")
        before = SagaRun.objects.values()[0]
        with pytest.raises(VersionConflict):
            action(run.pk, run.version + 1, "stale")
        assert SagaRun.objects.values()[0] == before
        assert events(run) == []

    @pytest.mark.parametrize("action", [facade.retry_run, facade.park_run])
    def test_while_a_worker_has_the_run_nothing_is_written(self, start, action):
        [run] = start("k")
        leases.claim(limit=9, weight=99, lease=30)
        before = SagaRun.objects.values()[0]
        with pytest.raises(RunHeld):
            act(action, run)
        assert SagaRun.objects.values()[0] == before
        assert events(run) == []

    @pytest.mark.parametrize("reason", ["", " \t", "x" * 201])
    def test_a_reason_is_needed(self, start, reason):
        [run] = start("k")
        with pytest.raises(InvalidInput):
            facade.park_run(run.pk, run.version, reason)

    def test_a_run_that_is_none(self, saga):
        with pytest.raises(RunNotFound):
            facade.park_run("01970000-0000-7000-8000-000000000000", 1, "why")

    def test_each_leaves_its_line_in_both_logs(self, start, by_ann):
        [run] = start("k")
        act(facade.park_run, run, "to look at")
        [line, _] = SagaLogEntry.objects.filter(run=run).order_by("id")
        assert (line.event, line.detail) == ("staff_park", "Ann <ann@example.com>: to look at")
        [note] = StaffChange.objects.using("orders").all()
        assert (note.subject, note.subject_id, note.action) == (
            *("sagas.sagarun", str(run.pk)),
            "park",
        )
        assert (note.before["status"], note.after["status"], note.after["reason"]) == (
            *("pending", "failed"),
            "to look at",
        )


def test_every_attempt_that_failed_is_in_the_log_with_its_error(start, recorder, drive):
    [run] = start("k")
    recorder.tell("first", "k", Outcome.retryable("busy", "try later"), ValueError("a bug"))
    recorder.tell("second", "k", Outcome.rejected("no", "not this one"))
    recorder.tell("undo_first", "k", Outcome.unknown("timeout"), Outcome.rejected("stuck"))
    leases.claim(limit=9, weight=99, lease=30)  # a worker that dies at once
    SagaRun.objects.update(next_run_at="2020-01-01T00:00:00Z")
    drive()
    log = SagaLogEntry.objects.filter(run=run).order_by("id")
    assert [
        (one.event, one.position, one.direction, one.attempt, one.code, one.detail) for one in log
    ] == [
        ("claimed_again", 0, "F", 1, "no_outcome", "the worker that had it gave no outcome"),
        ("retryable", 0, "F", 1, "busy", "try later"),
        ("unknown", 0, "F", 2, "raised", "ValueError: a bug"),
        ("rejected", 1, "F", 1, "no", "not this one"),
        ("compensating", 1, "F", 1, "no", "not this one"),
        ("unknown", 0, "B", 1, "timeout", ""),
        ("rejected", 0, "B", 2, "stuck", ""),
        ("step_parked", 0, "B", 2, "stuck", ""),
        ("parked", 0, "B", 2, "compensation_parked", "1 compensations want a person"),
    ]
