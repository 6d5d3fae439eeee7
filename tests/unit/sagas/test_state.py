"""Where a run goes next."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from apps.sagas.contracts import Outcome
from apps.sagas.definition import Participant, Saga, Step, StepKind
from apps.sagas.engine import state
from apps.sagas.retry import RetryPolicy

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RNG = random.Random(1)
NOTHING = Participant(lambda calls: [Outcome.success() for _ in calls])
RETRY = RetryPolicy(max_attempts=3, schedule_to_close=60)
SAGA = Saga(
    "test",
    1,
    (
        Step("zero", None, NOTHING),
        Step("one", NOTHING, NOTHING, retry=RETRY, compensation_retry=RETRY),
        Step("two", NOTHING, retry=RETRY),
        Step("pivot", NOTHING, kind=StepKind.PIVOT, compensation_retry=RETRY),
        Step("last", NOTHING, kind=StepKind.RETRIABLE, compensation_retry=RETRY),
    ),
)


def run(position: int, *, direction: str = "F", attempt: int = 1, **values) -> state.Run:
    status = "in_progress" if direction == "F" else "compensating"
    fields = {
        "id": UUID(int=1),
        "kind": "test",
        "kind_version": 1,
        "business_key": "k",
        "status": status,
        "position": position,
        "step": SAGA.steps[position].name,
        "direction": direction,
        "attempt": attempt,
        "step_since": NOW,
        "claims": 1,
        "data": {},
        "parked_steps": 0,
        "abort_requested": False,
        "deadline_at": None,
    }
    return state.Run(**fields | values)


def after(one: state.Run, outcome: Outcome, *, now: datetime = NOW) -> state.Change:
    return state.after(SAGA, one, outcome, now, RNG)


def test_a_success_enters_the_next_step_afresh():
    change = after(run(1, attempt=2, claims=3), Outcome.success(id="x"))
    assert (change.run.position, change.run.step, change.run.status) == (2, "two", "in_progress")
    assert (change.run.attempt, change.run.claims, change.goes_on) == (1, 1, True)
    assert (change.step.name, change.step.status, change.step.attempts) == ("one", "completed", 2)
    assert change.step.result == {"id": "x"}
    assert change.log == []


def test_the_last_success_completes_the_run():
    change = after(run(4), Outcome.success())
    assert (change.run.status, change.goes_on) == ("completed", False)


def test_a_rejection_undoes_the_steps_before_it():
    change = after(run(2), Outcome.rejected("short", "none left"))
    assert (change.run.status, change.run.direction) == ("compensating", "B")
    assert change.run.step == "one"
    assert (change.run.error_code, change.step.status) == ("short", "failed")
    assert [entry.event for entry in change.log] == ["rejected", "compensating"]


def test_steps_without_a_compensation_are_passed_over_on_the_way_back():
    change = after(run(3), Outcome.rejected("declined"))
    assert (change.run.position, change.run.step) == (1, "one")


def test_the_last_compensation_ends_the_run():
    change = after(run(0, direction="B"), Outcome.success())
    assert (change.run.status, change.step.status) == ("compensated", "compensated")


@pytest.mark.parametrize("outcome", [Outcome.retryable("busy"), Outcome.unknown("timeout")])
def test_an_indefinite_answer_is_tried_again_later(outcome):
    change = after(run(1), outcome)
    assert (change.run.position, change.run.attempt, change.goes_on) == (1, 2, False)
    assert 0 <= change.delay <= 0.4
    assert change.step.finished is False


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(Outcome.retryable("busy"), "failed"), (Outcome.unknown("timeout"), "unknown")],
)
def test_a_step_that_runs_out_of_attempts_is_undone_itself(outcome, status):
    change = after(run(1, attempt=3), outcome)
    assert (change.run.direction, change.run.position, change.run.step) == ("B", 1, "one")
    assert change.step.status == status


def test_a_step_that_runs_out_of_time_is_undone_itself():
    change = after(run(1), Outcome.unknown("timeout"), now=NOW + timedelta(seconds=60))
    assert (change.run.direction, change.run.position) == ("B", 1)


@pytest.mark.parametrize("position", [3, 4])
def test_from_the_pivot_on_giving_up_parks_and_never_reverses(position):
    change = after(run(position, attempt=3), Outcome.unknown("timeout"))
    assert (change.run.status, change.run.direction, change.goes_on) == ("failed", "F", False)
    assert change.log[-1].event == "parked"


def test_after_the_pivot_even_a_rejection_parks():
    change = after(run(4), Outcome.rejected("no"))
    assert (change.run.status, change.run.direction) == ("failed", "F")


def test_a_compensation_that_gives_up_leaves_the_others_to_go_on():
    change = after(run(1, direction="B", attempt=3), Outcome.unknown("timeout"))
    assert (change.run.status, change.run.position, change.run.parked_steps) == (
        *("compensating", 0),
        1,
    )
    assert change.step.status == "failed"


def test_a_run_with_a_parked_compensation_ends_parked_not_compensated():
    change = after(run(0, direction="B", parked_steps=1), Outcome.success())
    assert (change.run.status, change.run.error_code) == ("failed", "compensation_parked")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"abort_requested": True}, "abort_requested"),
        ({"deadline_at": NOW}, "deadline_exceeded"),
        ({"deadline_at": NOW + timedelta(seconds=1)}, None),
        ({}, None),
    ],
)
def test_what_turns_a_run_back_before_a_step(values, reason):
    found = state.must_turn(SAGA, run(2, **values), NOW)
    assert (found[0] if found else None) == reason


def test_a_pivot_that_may_have_begun_is_not_turned_back():
    assert state.must_turn(SAGA, run(3, abort_requested=True), NOW)
    assert state.must_turn(SAGA, run(3, abort_requested=True, claims=2), NOW) is None
    assert state.must_turn(SAGA, run(3, abort_requested=True, attempt=2), NOW) is None
    assert state.must_turn(SAGA, run(4, deadline_at=NOW), NOW) is None


@pytest.mark.parametrize(("claims", "first_undone"), [(1, 0), (2, 1)])
def test_turning_back_undoes_the_present_step_only_if_it_may_have_begun(claims, first_undone):
    change = state.turn(SAGA, run(1, claims=claims), NOW, "abort_requested", "")
    assert (change.run.position, change.run.status) == (first_undone, "compensating")


@pytest.mark.parametrize(
    "steps",
    [
        (Step("a", NOTHING, kind=StepKind.RETRIABLE), Step("b", NOTHING, kind=StepKind.PIVOT)),
        (Step("a", NOTHING, kind=StepKind.PIVOT), Step("b", NOTHING)),
        (Step("a", NOTHING, kind=StepKind.PIVOT), Step("b", NOTHING, kind=StepKind.PIVOT)),
        (Step("a", NOTHING), Step("a", NOTHING)),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(steps):
    with pytest.raises(ValueError, match="bad:"):
        Saga("bad", 1, steps)


def test_delays_are_jittered_between_zero_and_the_cap():
    policy = RetryPolicy(max_attempts=100, base=1.0, cap=8.0)
    rng = random.Random(7)
    for attempt, bound in [(1, 2.0), (2, 4.0), (3, 8.0), (9, 8.0)]:
        delays = [policy.delay(attempt=attempt, elapsed=0, rng=rng) for _ in range(200)]
        assert 0 <= min(delays) < bound / 10
        assert bound * 0.9 < max(delays) <= bound


def test_waiting_spends_no_attempt_and_is_looked_at_again():
    change = after(run(1), Outcome.waiting("held"), now=NOW + timedelta(days=1))
    assert (change.run.position, change.run.attempt, change.delay) == (1, 1, state.LOOK_AGAIN)
    assert (change.step.status, change.step.finished, change.log) == ("pending", False, [])
