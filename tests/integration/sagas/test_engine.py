"""The engine on real PostgreSQL."""

import pytest
from django.db import connections, transaction
from structlog.testing import capture_logs

from apps.sagas import facade
from apps.sagas.contracts import Outcome
from apps.sagas.definition import Participant
from apps.sagas.engine import leases, stepping
from apps.sagas.engine.driver import Driver, drive_batch
from apps.sagas.models import SagaLogEntry, SagaRun, SagaStep

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])


def steps(run: SagaRun) -> list[tuple]:
    rows = SagaStep.objects.filter(run=run).order_by("id")
    return [(row.name, row.direction, row.status, row.attempts) for row in rows]


def make_due() -> None:
    SagaRun.objects.update(next_run_at="2020-01-01T00:00:00Z")


def test_a_batch_of_runs_goes_through_all_steps_in_one_call_per_step(start, drive, recorder):
    runs = start(*(f"k{n}" for n in range(7)))
    drive()
    assert recorder.batches == [7, 7, 7]
    for run in runs:
        run.refresh_from_db()
        assert (run.status, run.finished_at is not None) == ("completed", True)
        assert steps(run) == [
            ("first", "F", "completed", 1),
            ("second", "F", "completed", 1),
            ("third", "F", "completed", 1),
        ]


def test_a_run_of_the_same_kind_and_key_is_started_once(start, saga):
    [first] = start("k")
    [again] = start("k")
    assert first.pk == again.pk
    assert SagaRun.objects.count() == 1


def test_starting_outside_a_transaction_is_refused(saga):
    with pytest.raises(transaction.TransactionManagementError):
        facade.start(kind="recorded", version=1, business_key="k")


def test_a_rejection_compensates_its_own_run_only(start, drive, recorder):
    good, bad = start("good", "bad")
    recorder.tell("second", "bad", Outcome.rejected("no", "not this one"))
    drive()
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.status, bad.status, bad.error_code) == ("completed", "compensated", "no")
    assert steps(bad) == [
        ("first", "F", "completed", 1),
        ("second", "F", "failed", 1),
        ("first", "B", "compensated", 1),
    ]
    assert recorder.effects["undo_first good"] == 0


def test_an_unknown_outcome_is_repeated_with_the_same_key_then_undone(start, drive, recorder):
    [run] = start("k")
    recorder.tell("second", "k", *[Outcome.unknown("timeout")] * 3)
    drive()
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("compensated", "timeout")
    assert steps(run) == [
        ("first", "F", "completed", 1),
        ("second", "F", "unknown", 3),
        ("second", "B", "compensated", 1),
        ("first", "B", "compensated", 1),
    ]
    assert [entry.event for entry in SagaLogEntry.objects.filter(run=run).order_by("id")] == [
        *("unknown", "unknown", "unknown", "compensating")
    ]


def test_a_handler_that_raises_spends_the_attempts_of_its_run_alone(start, drive, recorder):
    runs = start(*(f"k{n}" for n in range(5)))
    recorder.tell("first", "k3", *[ValueError("a bug")] * 30)
    drive()
    statuses = [SagaRun.objects.get(pk=run.pk).status for run in runs]
    assert statuses == ["completed", "completed", "completed", "compensated", "completed"]
    bad = SagaRun.objects.get(pk=runs[3].pk)
    assert (bad.error_code, bad.error_detail) == ("raised", "ValueError: a bug")


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.success(big="x" * 20_000), "oversized_result"),
        (Outcome.success(odd={1, 2}), "unserialisable_result"),
    ],
)
def test_a_result_that_cannot_be_kept_hurts_its_run_only(start, drive, recorder, outcome, code):
    good, bad = start("good", "bad")
    recorder.tell("second", "bad", outcome, outcome, outcome)
    drive()
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.status, bad.status, bad.error_code) == ("completed", "compensated", code)


def test_too_few_outcomes_are_an_error_not_a_mix_up(start, drive, saga, monkeypatch):
    [run] = start("k")
    monkeypatch.setattr(stepping, "_participant", lambda saga, run: _SILENT)
    drive()
    run.refresh_from_db()
    assert run.status == "failed"  # its compensations are silent too: a person looks
    assert "0 outcomes for 1 calls" in SagaStep.objects.filter(run=run).first().error_detail


_SILENT = Participant(lambda calls: [])


def test_a_late_holder_writes_nothing(start, recorder, saga):
    [run] = start("k")
    late = leases.claim(limit=10, weight=100, lease=30)
    make_due()  # its lease ran out
    drive_batch()
    run.refresh_from_db()
    before = (run.status, run.version, steps(run))
    assert before[0] == "completed"
    holder = Driver()
    holder.take(late)
    holder.drive(batches=0)
    run.refresh_from_db()
    assert (run.status, run.version, steps(run)) == before
    # The remote step was repeated, with its key; the local one never ran without the lease.
    assert recorder.effects["third k"] == 1


def test_a_claimed_run_is_nobody_elses_until_its_lease_ends(start):
    start("k")
    runs = leases.claim(limit=10, weight=100, lease=30)
    token = runs[0].token
    assert [run.business_key for run in runs] == ["k"]
    assert leases.claim(limit=10, weight=100, lease=30) == []
    make_due()
    runs = leases.claim(limit=10, weight=100, lease=30)
    assert [run.business_key for run in runs] == ["k"]
    assert runs[0].token > token


def test_a_batch_is_capped_by_weight_but_never_empty(start):
    start("a", "b", "c", weight=40)
    assert len(leases.claim(limit=10, weight=80, lease=30)) == 2
    assert len(leases.claim(limit=10, weight=1, lease=30)) == 1


def test_a_run_that_keeps_killing_its_holder_comes_alone_and_is_parked(start, recorder):
    killer, *_ = start("killer", "b", "c")
    for _ in range(leases.MAX_BATCHED_CLAIMS):
        assert len(leases.claim(limit=10, weight=100, lease=30)) == 3
        make_due()
    for _ in range(leases.MAX_BATCHED_CLAIMS, leases.ALONE_CLAIMS):
        assert len(leases.claim(limit=10, weight=100, lease=30)) == 3
        make_due()
    for _ in range(leases.ALONE_CLAIMS, leases.MAX_CLAIMS):
        SagaRun.objects.filter(pk=killer.pk).update(next_run_at="2019-01-01T00:00:00Z")
        assert [run.id for run in leases.claim(limit=10, weight=100, lease=30)] == [killer.pk]
    SagaRun.objects.filter(pk=killer.pk).update(next_run_at="2019-01-01T00:00:00Z")
    drive_batch()
    killer.refresh_from_db()
    assert (killer.status, killer.error_code) == ("failed", "no_progress")
    assert recorder.effects == {}
    while drive_batch():
        pass
    others = SagaRun.objects.exclude(pk=killer.pk).values_list("status", flat=True)
    assert list(others) == ["completed", "completed"]


def test_those_whose_holder_died_with_another_are_cleared_in_small_batches(start):
    runs = start(*(f"r{number}" for number in range(200)))
    killer = runs[-1].pk
    SagaRun.objects.update(claims=leases.MAX_BATCHED_CLAIMS)
    sizes = []
    while together := leases.claim(limit=200, weight=1000, lease=30):
        sizes.append(len(together))
        assert len(sizes) < 30
        if killer in [run.id for run in together] and len(together) > 1:
            make_due()  # its holder died, and its lease ended
        else:
            SagaRun.objects.filter(pk__in=[run.id for run in together]).update(
                finished_at="2026-01-01T00:00:00Z", status="completed"
            )
    assert sum(sizes) >= 200
    assert max(sizes) == leases.SMALL_BATCHES[leases.MAX_BATCHED_CLAIMS]


def test_an_abort_turns_a_run_back_before_its_next_step(start, drive, recorder):
    [run] = start("k")
    recorder.tell("second", "k", Outcome.retryable("wait"))
    drive_batch()
    assert facade.request_abort(run.pk)
    drive()
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("compensated", "abort_requested")
    assert facade.request_abort(run.pk) is False


def test_a_run_past_its_deadline_turns_back(start, drive):
    [run] = start("k")
    SagaRun.objects.update(deadline_at="2020-01-01T00:00:00Z")
    drive()
    run.refresh_from_db()
    assert (run.status, run.error_code, steps(run)) == ("compensated", "deadline_exceeded", [])


def test_a_run_at_a_position_that_no_step_has_is_parked_loudly(start, drive, recorder):
    [run] = start("k")
    SagaRun.objects.update(position=7)
    with capture_logs() as logs:
        drive()
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "definition_changed")
    assert [one["run"] for one in logs if one["event"] == "saga.parked"] == [str(run.pk)]
    assert recorder.effects == {}


def test_a_compensation_that_fails_is_parked_and_the_others_go_on(start, drive, recorder):
    [run] = start("k")
    recorder.tell("third", "k", Outcome.rejected("no"))
    recorder.tell("undo_second", "k", Outcome.rejected("stuck"))
    with capture_logs() as logs:
        drive()
    run.refresh_from_db()
    assert (run.status, run.parked_steps) == ("failed", 1)
    assert [(one["log_level"], one["code"]) for one in logs if one["event"] == "saga.parked"] == [
        ("error", "compensation_parked")
    ]
    assert recorder.effects["undo_first k"] == 1
    assert ("second", "B", "failed", 1) in steps(run)


def test_a_retry_waits_in_the_database(start, recorder, saga):
    [run] = start("k")
    recorder.tell("first", "k", Outcome.retryable("busy"))
    drive_batch()
    run.refresh_from_db()
    assert (run.status, run.attempt, run.lease_token, run.claims) == ("in_progress", 2, 0, 0)


def test_the_log_is_append_only(start, drive, recorder):
    [run] = start("k")
    recorder.tell("first", "k", Outcome.rejected("no"))
    drive()
    for sql in ("UPDATE sagas_sagalogentry SET code = 'x'", "DELETE FROM sagas_sagalogentry"):
        with (
            pytest.raises(Exception, match="append-only"),
            connections["orders"].cursor() as cursor,
        ):
            cursor.execute(sql)
    assert SagaLogEntry.objects.filter(run=run).count() == 2


def test_a_waiting_run_goes_on_when_it_is_woken(start, drive, recorder):
    [run] = start("k")
    recorder.tell("second", "k", Outcome.waiting("held"), Outcome.waiting("held"))
    drive()
    run.refresh_from_db()
    assert (run.status, run.step, run.attempt) == ("in_progress", "second", 1)
    for status in ("in_progress", "completed"):
        with transaction.atomic(using="orders"):
            assert facade.wake(run.pk)
        drive()
        run.refresh_from_db()
        assert run.status == status
    with transaction.atomic(using="orders"):
        assert facade.wake(run.pk) is False


def test_a_run_asked_to_abort_does_not_wait_any_longer(start, drive, recorder):
    [run] = start("k")
    recorder.tell("second", "k", Outcome.waiting("held"))
    drive()
    with transaction.atomic(using="orders"):
        facade.request_abort(run.pk)
    drive()
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("compensated", "abort_requested")


def test_waking_leaves_a_held_run_to_its_holder(start):
    [run] = start("k")
    leases.claim(limit=1, weight=9, lease=30)
    with transaction.atomic(using="orders"):
        assert facade.wake(run.pk)
    assert leases.claim(limit=1, weight=9, lease=30) == []
