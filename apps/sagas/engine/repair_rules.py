"""What a person may do to a run, and where it goes then: pure functions from a case to a change.

They keep what the engine keeps by itself: steps that may have had an effect are undone, from the
pivot's intent on nothing is turned back, what was compensated is not compensated again.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from apps.sagas.contracts import Outcome
from apps.sagas.definition import Saga
from apps.sagas.engine import state
from apps.sagas.engine.state import Change, LogRecord, Run
from apps.sagas.enums import LIVE, Direction, RunStatus, StepStatus
from apps.sagas.errors import NotRepairable, RunHeld

STOPPED = "stopped_by_staff"
PARKED = "parked_by_staff"
KILLS = "no_progress"  # the engine parks so what was claimed too often
BACKWARD = Direction.BACKWARD.value
_NO_JITTER = random.Random(0)  # noqa: S311 - a success waits for nothing


@dataclass(slots=True)
class Case:
    """A run a person wants to do something about; the rules change ``run``.

    ``steps``: status by (position, direction); ``turned_by``: code and detail of what turned the
    run back; ``held``: a worker has it; ``words``: who wants it and why, for the log;
    ``choreographed``: its participants carry it on by events.
    """

    run: Run
    saga: Saga | None
    steps: Mapping[tuple[int, str], str]
    turned_by: tuple[str, str]
    held: bool
    now: datetime
    words: str = ""
    choreographed: bool = False

    @property
    def is_live(self) -> bool:
        return self.run.status in LIVE

    @property
    def is_parked(self) -> bool:
        return self.run.status == RunStatus.FAILED

    @property
    def may_have_begun(self) -> bool:
        """Parking forgets how often the run was claimed."""
        return self.is_parked or self.run.attempt > 1 or self.run.claims >= 1

    @property
    def was_refused(self) -> bool:
        """Whether the run ended without having had anything to undo, and may try again where it
        was refused: no compensation has fenced its steps off."""
        return (
            self.run.status == RunStatus.COMPENSATED
            and not self.run.abort_requested
            and all(direction != BACKWARD for _, direction in self.steps)
        )

    def definition(self) -> Saga:
        """The definition by which the run stands where it does."""
        run, saga = self.run, self.saga
        if saga is None:
            raise NotRepairable(f"there is no {run.kind} version {run.kind_version} here")
        fits = 0 <= run.position < len(saga.steps) and saga.steps[run.position].name == run.step
        if not fits:
            raise NotRepairable(f"{run.kind} has no step {run.step} at position {run.position}")
        return saga

    def left(self) -> set[int]:
        """The compensations that a run which is turned back still needs."""
        saga = self.definition()
        parked = self.parked_steps()
        return {
            position
            for position in range(max({self.run.position, *parked}) + 1)
            if saga.steps[position].compensation
            and self.steps.get((position, BACKWARD)) != StepStatus.COMPENSATED
        }

    def parked_steps(self) -> set[int]:
        """The compensations that were given up."""
        return {
            position
            for (position, direction), status in self.steps.items()
            if direction == BACKWARD and status == StepStatus.FAILED
        }


def retry(case: Case, event: str = "staff_retry") -> Change:
    """Due now, with fresh attempts: a parked run, one that waits for its next attempt, or one that
    was refused before anything had to be undone."""
    run = case.run
    saga = case.definition()
    _not_held(case)
    if not (case.is_live or case.is_parked or case.was_refused):
        raise NotRepairable("it has ended")
    change = _begin(case, event)
    change.apart = run.error_code == KILLS  # it comes alone: it may do so again
    if case.is_parked and not run.forward:
        left = case.left()
        if not left:
            raise NotRepairable("nothing is left to be undone")
        _undo(case, change, saga, left, set())
        return change
    # The engine reads from the number of the attempt that the step may have had an effect.
    begun = case.may_have_begun or case.was_refused
    run.attempt, run.step_since = 2 if begun else 1, case.now
    if not case.is_live:
        run.status, run.direction = RunStatus.IN_PROGRESS, Direction.FORWARD
        run.error_code, run.error_detail = "", ""
    return change


def compensate(case: Case) -> Change | None:
    """Turns the run back; None for a live one, which is asked to turn before its next step."""
    run = case.run
    saga = case.definition()
    if not (case.is_live or case.is_parked):
        raise NotRepairable("it has ended")
    if not run.forward:
        raise NotRepairable("it is turned back already: retry what is left")
    if run.position > saga.pivot:
        raise NotRepairable("past its point of no return it can only be completed")
    if run.position == saga.pivot and case.may_have_begun and not _may_reverse(case, saga):
        raise NotRepairable(
            "at its point of no return only a definite no reverses: retry it, or mark it as done"
        )
    if case.is_live:
        if run.abort_requested:
            raise NotRepairable("it was asked to turn back already")
        return None
    before = _begin(case, "staff_compensate")
    run.begun = True
    change = state.turn(saga, run, case.now, STOPPED, case.words)
    change.log[:0] = before.log
    change.delay = 0.0
    return change


def park(case: Case) -> Change:
    """Leaves a live run to a person."""
    if not case.is_live:
        raise NotRepairable("it is parked already" if case.is_parked else "it has ended")
    _not_held(case)
    return state.park(_begin(case, "staff_park"), PARKED, case.words)


def mark_done(case: Case) -> Change:
    """A person declares that the present step, or the compensation that waits for one, is done."""
    run = case.run
    saga = case.definition()
    if not case.is_parked:
        raise NotRepairable("only a parked run's step can be marked as done: park it first")
    _not_held(case)
    before = _begin(case, "staff_mark_done")
    done = Outcome.success(marked_done=case.words)
    if run.forward:
        if saga.steps[run.position].forward is None:
            raise NotRepairable(f"{run.step} has no action")
        change = state.after(saga, run, done, case.now, _NO_JITTER)
        run.error_code, run.error_detail = "", ""
        change.log[:0] = before.log
        change.delay = 0.0
        return change
    left, parked = case.left(), case.parked_steps()
    if not left:
        raise NotRepairable("nothing is left to be undone")
    target = run.position if run.position in left else max(left)
    run.position, run.step = target, saga.steps[target].name
    change = before
    change.step = state.after(saga, run.copy(), done, case.now, _NO_JITTER).step
    _undo(case, change, saga, left - parked - {target}, parked - {target})
    return change


RULES: Mapping[str, Callable[[Case], Change | None]] = {
    "retry": retry,
    "compensate": compensate,
    "park": park,
    "mark_done": mark_done,
}


def rule(action: str, case: Case) -> Change | None:
    """What ``action`` changes: None where the run is asked to turn by itself."""
    if case.choreographed:
        _may_be_asked_to_turn(action, case)
    return RULES[action](case)


def _may_be_asked_to_turn(action: str, case: Case) -> None:
    """All that can be done about a run that nobody drives."""
    if action != "compensate" or not case.is_live:
        raise NotRepairable(
            "it is carried on by events: see to its payments and to the dead letters of its"
            " participants, and it goes on"
        )
    if (case.definition().pivot, Direction.FORWARD.value) in case.steps:
        raise NotRepairable("at its point of no return only a definite no reverses")


def _begin(case: Case, event: str) -> Change:
    """A change that begins with the person's line in the log; the run is due at once."""
    run = case.run
    line = LogRecord(
        run.id, event, run.position, run.direction, run.attempt, run.error_code, case.words
    )
    return Change(run, log=[line], delay=0.0)


def _undo(case: Case, change: Change, saga: Saga, todo: set[int], parked: set[int]) -> None:
    """Turned back, the run goes on with the compensations ``todo`` and leaves those ``parked``."""
    run = case.run
    run.parked_steps, run.compensations_left = len(parked), sorted(todo)
    run.error_code, run.error_detail = case.turned_by
    if todo or parked:
        run.position = max(todo or parked)
        run.step = saga.steps[run.position].name
        run.step_since = case.now
        run.attempt = 1
    if todo:
        run.status = RunStatus.COMPENSATING
    elif parked:
        state.park(change, "compensation_parked", f"{len(parked)} compensations want a person")
    else:
        run.status = RunStatus.COMPENSATED


def _may_reverse(case: Case, saga: Saga) -> bool:
    """Whether the compensations of a parked run undo a pivot too whose answer is not known."""
    return case.is_parked and saga.compensates_pivot


def _not_held(case: Case) -> None:
    if case.is_live and case.held:
        raise RunHeld()
