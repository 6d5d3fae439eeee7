"""Where a run goes next: pure functions from a run and an outcome to a change."""

import random
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from apps.sagas.contracts import Outcome, OutcomeKind, step_key
from apps.sagas.definition import Saga, Step, StepKind
from apps.sagas.enums import Direction, RunStatus, StepStatus
from apps.sagas.retry import RetryPolicy

FORWARD = Direction.FORWARD.value
DEADLINE_EXCEEDED = "deadline_exceeded"
LOOK_AGAIN = 60.0  # seconds after which a waiting run is asked anyway, should nobody wake it


@dataclass(slots=True)
class Run:
    """A claimed run as the engine holds it in memory.

    ``token`` is the lease's, ``leased_at`` when it was last renewed (monotonic clock, seconds).
    ``compensations_left``: the only ones still to be done, where a person sent it back to them.
    ``begun``: under this claim the present step was executed, or may have been. ``name`` is the
    id as text, made once: keys are made of it at every step.
    """

    id: UUID
    kind: str
    kind_version: int
    business_key: str
    status: str
    position: int
    step: str
    direction: str
    attempt: int
    step_since: datetime
    claims: int
    data: dict[str, Any]
    parked_steps: int
    abort_requested: bool
    deadline_at: datetime | None
    version: int = 1
    correlation_id: str = ""
    error_code: str = ""
    error_detail: str = ""
    abort_reason: str = ""
    token: int = 0
    compensations_left: list[int] | None = None
    leased_at: float = 0.0
    begun: bool = False
    name: str = ""

    def copy(self) -> "Run":
        """Another run with the same values."""
        return Run(*_values(self))

    @property
    def forward(self) -> bool:
        return self.direction == FORWARD

    @property
    def may_have_begun(self) -> bool:
        """Whether the present step may already have had an effect."""
        return self.attempt > 1 or self.claims > 1 or self.begun

    def key(self, direction: str) -> str:
        return step_key(self.name or self.id, self.position, direction)


_values = attrgetter(*Run.__slots__)


@dataclass(slots=True)
class StepRecord:
    """The row of ``saga_step`` that a change writes."""

    run_id: UUID
    position: int
    direction: str
    name: str
    status: str
    attempts: int
    result: dict[str, Any] | None
    error_code: str
    error_detail: str
    started_at: datetime
    finished: bool


@dataclass(slots=True)
class LogRecord:
    """The row of ``saga_log`` that a change appends."""

    run_id: UUID
    event: str
    position: int
    direction: str
    attempt: int
    code: str
    detail: str


@dataclass(slots=True)
class Change:
    """What one checkpoint writes for one run. ``delay`` seconds until due; None = goes on now.

    ``apart``: from now on the run is claimed alone until it makes progress.
    """

    run: Run
    step: StepRecord | None = None
    log: list[LogRecord] = field(default_factory=list)
    delay: float | None = None
    apart: bool = False

    @property
    def goes_on(self) -> bool:
        return self.delay is None and self.run.status in (
            RunStatus.PENDING,
            RunStatus.IN_PROGRESS,
            RunStatus.COMPENSATING,
        )


def must_turn(saga: Saga, run: Run, now: datetime) -> tuple[str, str] | None:
    """Why ``run`` has to turn to compensation before its present step begins, if it has to."""
    if not run.forward or run.position > saga.pivot:
        return None
    if run.position == saga.pivot and run.may_have_begun:
        return None  # the pivot's intent is committed: only a definite no reverses
    if run.abort_requested:
        return run.abort_reason or "abort_requested", "a person asked to stop"
    if run.deadline_at is not None and now >= run.deadline_at:
        return DEADLINE_EXCEEDED, f"not done by {run.deadline_at.isoformat()}"
    return None


def turn(saga: Saga, run: Run, now: datetime, code: str, detail: str) -> Change:
    """Turns ``run`` to compensation before its present step; one that may have begun is undone."""
    change = Change(run)
    run.error_code, run.error_detail = code, detail
    start = run.position if run.may_have_begun else run.position - 1
    _go_back(saga, change, start, now, code, detail)
    return change


def after(saga: Saga, run: Run, outcome: Outcome, now: datetime, rng: random.Random) -> Change:
    """The change that ``outcome`` of the present step makes."""
    change = Change(run)
    if outcome.kind is OutcomeKind.SUCCESS:
        done = StepStatus.COMPLETED if run.forward else StepStatus.COMPENSATED
        change.step = _record(run, done, outcome)
        if run.forward:
            _go_forward(saga, change, now)
        else:
            _go_back(saga, change, run.position - 1, now)
        return change
    if outcome.kind is OutcomeKind.REJECTED:
        change.step = _record(run, StepStatus.FAILED, outcome)
        _refused(saga, change, outcome, now)
        return change
    if outcome.kind is OutcomeKind.WAITING:
        return _wait(change, outcome)
    return _try_again(saga, change, outcome, now, rng)


def park(change: Change, code: str, detail: str) -> Change:
    """Leaves the run to a person."""
    run = change.run
    run.status, run.error_code, run.error_detail = RunStatus.FAILED, code, detail
    change.log.append(_log(run, "parked", code, detail))
    return change


def apart(run: Run) -> Change:
    """Lets go of a run that may have hurt its neighbours; it is claimed alone from now on."""
    change = Change(run, delay=0.0, apart=True)
    change.log.append(_log(run, "set_apart", "start_to_close", "its batch ran past its time"))
    return change


def lost(run: Run) -> LogRecord:
    """That the holder before had ``run`` and said nothing of it: it died, or was stopped."""
    return _log(run, "claimed_again", "no_outcome", "the worker that had it gave no outcome")


def _refused(saga: Saga, change: Change, outcome: Outcome, now: datetime) -> None:
    run = change.run
    change.log.append(_log(run, "rejected", outcome.code, outcome.detail))
    if not run.forward:
        _leave_behind(saga, change, outcome, now)
    elif run.position > saga.pivot:
        park(change, outcome.code, outcome.detail)
    else:
        run.error_code, run.error_detail = outcome.code, outcome.detail
        _go_back(saga, change, run.position - 1, now, outcome.code, outcome.detail)


def _wait(change: Change, outcome: Outcome) -> Change:
    """Spends no attempt and is not logged again and again."""
    change.step = _record(change.run, StepStatus.PENDING, outcome)
    change.delay = LOOK_AGAIN
    return change


def _try_again(
    saga: Saga, change: Change, outcome: Outcome, now: datetime, rng: random.Random
) -> Change:
    run = change.run
    step = saga.steps[run.position]
    policy = policy_of(step, forward=run.forward)
    elapsed = (now - run.step_since).total_seconds()
    delay = policy.delay(attempt=run.attempt, elapsed=elapsed, rng=rng)
    unknown = outcome.kind is OutcomeKind.UNKNOWN
    status = StepStatus.UNKNOWN if unknown else StepStatus.IN_PROGRESS
    change.step = _record(run, status, outcome)
    change.log.append(_log(run, outcome.kind.value, outcome.code, outcome.detail))
    if delay is not None:
        run.attempt += 1
        change.delay = delay
        return change
    change.step.status = StepStatus.UNKNOWN if unknown else StepStatus.FAILED
    if not run.forward:
        _leave_behind(saga, change, outcome, now)
    elif run.position >= saga.pivot:
        park(change, outcome.code, f"gave up after {run.attempt} attempts: {outcome.detail}")
    else:
        # An earlier attempt may have had an effect, so this step is undone as well.
        run.error_code, run.error_detail = outcome.code, outcome.detail
        _go_back(saga, change, run.position, now, outcome.code, outcome.detail)
    return change


def policy_of(step: Step, *, forward: bool) -> RetryPolicy:
    """From the pivot on a step is repeated as patiently as a compensation."""
    patient = not forward or step.kind is not StepKind.COMPENSATABLE
    return step.compensation_retry if patient else step.retry


def _leave_behind(saga: Saga, change: Change, outcome: Outcome, now: datetime) -> None:
    """A compensation that can't be done waits for a person; the others go on."""
    run = change.run
    change.step.status = StepStatus.FAILED
    run.parked_steps += 1
    change.log.append(_log(run, "step_parked", outcome.code, outcome.detail))
    _go_back(saga, change, run.position - 1, now)


def _go_forward(saga: Saga, change: Change, now: datetime) -> None:
    run = change.run
    if run.position + 1 == len(saga.steps):
        run.status = RunStatus.COMPLETED
        return
    _enter(saga, run, run.position + 1, now)
    run.status = RunStatus.IN_PROGRESS


def _go_back(
    saga: Saga, change: Change, position: int, now: datetime, code: str = "", detail: str = ""
) -> None:
    run = change.run
    if run.forward:
        change.log.append(_log(run, "compensating", code, detail))
        run.direction = Direction.BACKWARD
    run.status = RunStatus.COMPENSATING
    position = _next_compensation(saga, run, position)
    if position >= 0:
        _enter(saga, run, position, now)
    elif run.parked_steps:
        park(change, "compensation_parked", f"{run.parked_steps} compensations want a person")
    else:
        run.status = RunStatus.COMPENSATED


def _next_compensation(saga: Saga, run: Run, position: int) -> int:
    if run.compensations_left is None:
        return saga.compensation_from(position)
    return max((one for one in run.compensations_left if one <= position), default=-1)


def _enter(saga: Saga, run: Run, position: int, now: datetime) -> None:
    run.position, run.step = position, saga.steps[position].name
    run.attempt, run.claims, run.step_since, run.begun = 1, 1, now, False


def _record(run: Run, status: str, outcome: Outcome) -> StepRecord:
    finished = status not in (StepStatus.PENDING, StepStatus.IN_PROGRESS, StepStatus.UNKNOWN)
    return StepRecord(
        run.id,
        run.position,
        run.direction,
        run.step,
        status,
        run.attempt,
        outcome.result,
        outcome.code,
        outcome.detail[:2000],
        run.step_since,
        finished,
    )


def _log(run: Run, event: str, code: str, detail: str) -> LogRecord:
    detail = detail[:2000]
    return LogRecord(run.id, event, run.position, run.direction, run.attempt, code, detail)
