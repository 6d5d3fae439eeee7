"""What a person may do to a run, by where it stands."""

from dataclasses import replace

import pytest

from apps.sagas.engine.repair_rules import RULES, Case
from apps.sagas.errors import NotRepairable, RunHeld
from tests.unit.sagas.test_state import NOW, SAGA, run

REVERSIBLE = replace(SAGA, compensates_pivot=True)
ALL = tuple(RULES)


def case(one, *, saga=SAGA, steps=None, held=False) -> Case:
    return Case(one, saga, steps or {}, ("no", "not this"), held, NOW, "Ann: why")


def parked(position: int, **values):
    return run(position, status="failed", **values)


def possible(**values) -> list[str]:
    """The actions that are not refused."""
    found = []
    for action in ALL:
        one = case(**values | {"one": values["one"].copy()})
        try:
            RULES[action](one)
        except (NotRepairable, RunHeld):
            continue
        found.append(action)
    return found


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (run(1, claims=0), ["retry", "compensate", "park"]),
        (run(3, claims=0), ["retry", "compensate", "park"]),  # the pivot was not asked for yet
        (run(3, claims=1), ["retry", "park"]),
        (run(3, claims=0, attempt=2), ["retry", "park"]),
        (run(4, claims=0), ["retry", "park"]),
        (run(1, direction="B"), ["retry", "park"]),
        (parked(1), ["retry", "compensate", "mark_done"]),
        (parked(3), ["retry", "mark_done"]),
        (parked(4), ["retry", "mark_done"]),
        (parked(1, direction="B"), ["retry", "mark_done"]),
        (run(4, status="completed"), []),
        (run(1, claims=0, abort_requested=True), ["retry", "park"]),
    ],
)
def test_what_may_be_done_depends_on_where_the_run_stands(one, wanted):
    assert possible(one=one) == wanted


def test_a_pivot_without_an_answer_is_turned_back_only_where_that_undoes_it_too():
    assert "compensate" in possible(one=parked(3), saga=REVERSIBLE)
    # A live one would not obey: its holder asks until there is an answer.
    assert "compensate" not in possible(one=run(3, claims=1), saga=REVERSIBLE)
    assert "compensate" not in possible(one=parked(4), saga=REVERSIBLE)
    change = RULES["compensate"](case(parked(3), saga=REVERSIBLE))
    assert (change.run.direction, change.run.step, change.run.status) == (
        *("B", "one"),
        "compensating",
    )


def test_a_held_run_can_only_be_asked_to_turn():
    assert possible(one=run(1), held=True) == ["compensate"]


def test_without_a_definition_a_run_can_only_be_parked():
    assert possible(one=run(1), saga=None) == ["park"]
    assert possible(one=run(1, step="renamed")) == ["park"]
    assert possible(one=parked(1), saga=None) == []


def test_a_run_that_was_refused_before_anything_was_undone_may_try_again():
    refused = run(2, direction="B", status="compensated")
    assert possible(one=refused, steps={(2, "F"): "failed"}) == ["retry"]
    assert possible(one=refused, steps={(0, "B"): "compensated"}) == []
    stopped = run(2, direction="B", status="compensated", abort_requested=True)
    assert possible(one=stopped) == []
    change = RULES["retry"](case(refused))
    assert (change.run.direction, change.run.step, change.run.error_code) == ("F", "two", "")


@pytest.mark.parametrize(
    ("one", "attempt"),
    [
        (run(1, claims=0), 1),  # nobody ever had it
        (run(1, claims=1), 2),  # its holder may have begun
        (run(1, claims=0, attempt=7), 2),
        (parked(1), 2),
    ],
)
def test_fresh_attempts_do_not_forget_that_the_step_may_have_begun(one, attempt):
    change = RULES["retry"](case(one))
    assert (change.run.attempt, change.run.step_since, change.delay) == (attempt, NOW, 0.0)


def test_only_what_was_given_up_is_tried_again():
    steps = {(0, "B"): "compensated", (1, "B"): "failed"}
    given_up = parked(0, direction="B", parked_steps=1, error_code="compensation_parked")
    change = RULES["retry"](case(given_up.copy(), steps=steps))
    assert (change.run.position, change.run.compensations_left) == (1, [1])
    assert (change.run.parked_steps, change.run.error_code) == (0, "no")
    change = RULES["mark_done"](case(given_up, steps=steps | {(0, "B"): "failed"}))
    assert (change.run.status, change.run.position, change.run.parked_steps) == ("failed", 1, 1)


def test_marking_the_last_step_done_completes_the_run():
    change = RULES["mark_done"](case(parked(4)))
    assert (change.run.status, change.step.result) == ("completed", {"marked_done": "Ann: why"})
    assert [line.event for line in change.log] == ["staff_mark_done"]
