"""Runs that their participants carry on by events: what is kept of them, for everybody to see.

The engine never claims such a run. Who hears of its steps notes them here and says when it turns
or ends. Each function works in the caller's transaction on runs that ``hold`` or ``due`` locked
there, in the order of their ids as the engine does: so the end of a run, its turn and its point of
no return are decided one after the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction

from apps.common.databases import execute, fetch_all, require_atomic
from apps.common.failpoints import failpoint
from apps.sagas.definition import Saga
from apps.sagas.engine import store
from apps.sagas.engine.leases import LIVE_SQL
from apps.sagas.engine.state import LOOK_AGAIN, LogRecord
from apps.sagas.enums import DATABASE, LIVE, Direction, RunStatus, StepStatus

log = structlog.get_logger(__name__)
FORWARD, BACKWARD = Direction.FORWARD.value, Direction.BACKWARD.value
_COLUMNS = (
    "id, business_key, status, direction, position, correlation_id, error_code, abort_requested,"
    " abort_reason, coalesce(deadline_at <= clock_timestamp(), false),"
    " extract(epoch FROM clock_timestamp() - step_since)::float8"
)
_STYLE = "style = 'choreographed'"
_DUE = f"{_STYLE} AND status IN {LIVE_SQL} AND next_run_at <= (SELECT clock_timestamp())"
MOST_AT_ONCE = 200


@dataclass(slots=True)
class Held:
    """A choreographed run, locked. ``steps``: status by (position, direction) of those noted;
    ``late``: its deadline is over; ``idle``: seconds since it was last heard of."""

    run_id: UUID
    business_key: str
    status: str
    direction: str
    position: int
    correlation_id: str
    error_code: str
    abort_requested: bool
    abort_reason: str
    late: bool
    idle: float
    steps: dict[tuple[int, str], str] = field(default_factory=dict)

    @property
    def forward(self) -> bool:
        return self.direction == FORWARD

    @property
    def ended(self) -> bool:
        """For good: a parked one may still be ended by what it waits for."""
        return self.status in (RunStatus.COMPLETED, RunStatus.COMPENSATED)

    def has_done(self, position: int, direction: str = FORWARD) -> bool:
        done = StepStatus.COMPLETED if direction == FORWARD else StepStatus.COMPENSATED
        return self.steps.get((position, direction)) == done

    def has_begun(self, position: int) -> bool:
        return (position, FORWARD) in self.steps


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a step of the run of ``business_key``."""

    business_key: str
    position: int
    direction: str
    status: str
    code: str = ""
    detail: str = ""


def hold(kind: str, business_keys: Sequence[str]) -> dict[str, Held]:
    """The choreographed runs of these keys, locked; a key without one is missing."""
    require_atomic(DATABASE)
    rows = fetch_all(
        DATABASE,
        f"SELECT {_COLUMNS} FROM sagas_sagarun WHERE kind = %s AND business_key = ANY(%s)"
        f" AND {_STYLE} ORDER BY id FOR UPDATE",
        [kind, list(business_keys)],
    )
    return {one.business_key: one for one in _with_steps(rows)}


_overseers: dict[str, Callable[[list[Held]], None]] = {}


def register_overseer(kind: str, oversee: Callable[[list[Held]], None]) -> None:
    """``oversee`` gets choreographed runs of ``kind`` that are late, woken or asked to abort,
    inside the transaction that locked them."""
    _overseers[kind] = oversee


def look_after() -> int:
    """Gives the runs that are due to their overseers; returns how many there were."""
    seen = 0
    for kind in _kinds_due():
        with transaction.atomic(using=DATABASE):
            runs = due(kind, most=MOST_AT_ONCE)
            _oversee(kind, runs)
            failpoint("saga.look_after.before_commit")
        failpoint("saga.look_after.after_commit")
        seen += len(runs)
    return seen


def _oversee(kind: str, runs: Sequence[Held]) -> None:
    """Narrows an overseer's bug down to the run that shows it, and puts that one off: it must
    neither touch the others nor keep the worker from the engine's runs."""
    if not runs:
        return
    # No commit, a savepoint: what it has written before it fell is taken back.
    whole_or_nothing = transaction.atomic(using=DATABASE)(_overseers[kind])
    try:
        whole_or_nothing(list(runs))
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if len(runs) > 1:
            for one in runs:
                _oversee(kind, _read([one.run_id]))
            return
        log.exception("saga.look_after_failed", kind=kind, run_id=str(runs[0].run_id))
        execute(
            DATABASE,
            "UPDATE sagas_sagarun SET next_run_at = clock_timestamp()"
            " + make_interval(secs => %s) WHERE id = %s",
            [LOOK_AGAIN, runs[0].run_id],
        )


def _kinds_due() -> list[str]:
    rows = fetch_all(DATABASE, f"SELECT DISTINCT kind FROM sagas_sagarun WHERE {_DUE}")
    return sorted({kind for (kind,) in rows} & _overseers.keys())


def due(kind: str, *, most: int) -> list[Held]:
    """Live runs that somebody has to look after, locked; those that others hold are left out."""
    require_atomic(DATABASE)
    rows = fetch_all(
        DATABASE,
        f"SELECT id FROM sagas_sagarun WHERE kind = %s AND {_DUE}"
        " ORDER BY next_run_at LIMIT %s FOR UPDATE SKIP LOCKED",
        [kind, most],
    )
    return _read([run_id for (run_id,) in rows])


def _read(run_ids: Sequence[UUID]) -> list[Held]:
    """Runs that this transaction has locked, as they are now."""
    rows = fetch_all(
        DATABASE,
        f"SELECT {_COLUMNS} FROM sagas_sagarun WHERE id = ANY(%s) ORDER BY id",
        [list(run_ids)],
    )
    return _with_steps(rows)


def _with_steps(rows: Sequence[tuple]) -> list[Held]:
    held = {row[0]: Held(*row) for row in rows}
    if held:
        for run_id, position, direction, status in fetch_all(
            DATABASE,
            "SELECT run_id, position, direction, status FROM sagas_sagastep WHERE run_id = ANY(%s)",
            [list(held)],
        ):
            held[run_id].steps[position, direction] = status
    return list(held.values())


def note(saga: Saga, runs: Mapping[str, Held], notes: Sequence[Note]) -> list[Note]:
    """Writes down what became of steps of ``runs``; returns those that are news. What a step came
    to once it stays."""
    news = []
    for one in notes:
        run, step = runs[one.business_key], (one.position, one.direction)
        if run.steps.get(step) in (None, StepStatus.IN_PROGRESS):
            run.steps[step] = one.status
            if one.direction == FORWARD and one.status == StepStatus.COMPLETED:
                run.position = max(run.position, min(one.position + 1, len(saga.steps) - 1))
            news.append(one)
    if not news:
        return news
    execute(
        DATABASE,
        """
        INSERT INTO sagas_sagastep AS step (run_id, position, direction, name, status, attempts,
            error_code, error_detail, started_at, finished_at)
        SELECT new.run_id, new.position, new.direction, name, new.status, 1, code, detail,
            run.step_since,
            CASE new.status WHEN 'in_progress' THEN NULL ELSE clock_timestamp() END
        FROM unnest(%s::uuid[], %s::smallint[], %s::text[], %s::text[], %s::text[], %s::text[],
                %s::text[]) AS new(run_id, position, direction, name, status, code, detail)
        JOIN sagas_sagarun AS run ON run.id = new.run_id
        ON CONFLICT (run_id, position, direction) DO UPDATE SET
            status = excluded.status, error_code = excluded.error_code,
            error_detail = excluded.error_detail, finished_at = excluded.finished_at
        """,
        [
            [runs[one.business_key].run_id for one in news],
            [one.position for one in news],
            [one.direction for one in news],
            [saga.steps[one.position].name for one in news],
            [str(one.status) for one in news],
            [one.code[:60] for one in news],
            [one.detail[:2000] for one in news],
        ],
    )
    touched = {one.business_key: runs[one.business_key] for one in news}.values()
    execute(
        DATABASE,
        """
        UPDATE sagas_sagarun AS run SET position = new.position, step = new.step,
            status = CASE run.status WHEN 'pending' THEN 'in_progress' ELSE run.status END,
            step_since = clock_timestamp(), version = run.version + 1
        FROM unnest(%s::uuid[], %s::smallint[], %s::text[]) AS new(id, position, step)
        WHERE run.id = new.id
        """,
        [
            [run.run_id for run in touched],
            [run.position for run in touched],
            [saga.steps[run.position].name for run in touched],
        ],
    )
    return news


def begin_pivot(saga: Saga, business_keys: Sequence[str]) -> set[str]:
    """The runs that may take their point of no return: from now on nothing turns them but its
    definite no. Those that were turned, are to turn or are late are left out."""
    runs = hold(saga.kind, business_keys)
    going = [
        key
        for key, run in runs.items()
        if run.forward
        and run.status in LIVE
        and not run.has_begun(saga.pivot)
        and not (run.abort_requested or run.late)
    ]
    begun = StepStatus.IN_PROGRESS
    note(saga, runs, [Note(key, saga.pivot, FORWARD, begun) for key in going])
    return set(going)


def turn(causes: Sequence[tuple[Held, str, str]]) -> None:
    """Turns runs back, each for the reason of a code and a detail."""
    for run, code, _ in causes:
        run.status, run.direction, run.error_code = RunStatus.COMPENSATING, BACKWARD, code
    _write_end(RunStatus.COMPENSATING, causes)
    _log("compensating", causes)


def finish(runs: Sequence[Held], status: RunStatus) -> None:
    """Ends runs, completed or compensated."""
    for run in runs:
        run.status = status
    if runs:
        execute(
            DATABASE,
            "UPDATE sagas_sagarun SET status = %s, version = version + 1,"
            " finished_at = clock_timestamp() WHERE id = ANY(%s)",
            [status.value, [run.run_id for run in runs]],
        )


def park(causes: Sequence[tuple[Held, str, str]]) -> None:
    """Leaves runs to a person; should what they wait for still come, they end all the same."""
    for run, _, _ in causes:
        run.status = RunStatus.FAILED
    _write_end(RunStatus.FAILED, causes)
    _log("parked", causes)
    for run, code, detail in causes:
        log.error(
            "saga.parked",
            run=str(run.run_id),
            business_key=run.business_key,
            code=code,
            detail=detail,
            request_id=run.correlation_id,
        )


def look_again(runs: Sequence[Held]) -> None:
    """These are to be looked after again: one under way by its deadline, others in a minute."""
    execute(
        DATABASE,
        f"""
        UPDATE sagas_sagarun SET next_run_at = greatest(
            CASE direction WHEN 'F' THEN deadline_at END,
            clock_timestamp() + make_interval(secs => {LOOK_AGAIN}))
        WHERE id = ANY(%s)
        """,
        [[run.run_id for run in runs]],
    )


def _write_end(status: RunStatus, causes: Sequence[tuple[Held, str, str]]) -> None:
    if not causes:
        return
    execute(
        DATABASE,
        f"""
        UPDATE sagas_sagarun AS run SET status = %s, direction = new.direction,
            error_code = new.code, error_detail = new.detail, step_since = clock_timestamp(),
            next_run_at = clock_timestamp() + make_interval(secs => {LOOK_AGAIN}),
            finished_at = CASE WHEN %s THEN clock_timestamp() END, version = run.version + 1
        FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[])
            AS new(id, direction, code, detail)
        WHERE run.id = new.id
        """,
        [
            status.value,
            status not in LIVE,
            [run.run_id for run, _, _ in causes],
            [run.direction for run, _, _ in causes],
            [code[:60] for _, code, _ in causes],
            [detail[:2000] for _, _, detail in causes],
        ],
    )


def _log(event: str, causes: Sequence[tuple[Held, str, str]]) -> None:
    store.log(
        [
            LogRecord(run.run_id, event, run.position, run.direction, 1, code, detail[:2000])
            for run, code, detail in causes
        ]
    )
