"""What the engine writes about runs, their steps and their log. Only ``leases``, ``repair`` and
``choreography`` have SQL beside this that writes ``saga_run``, ``saga_step`` and ``saga_log``."""

from collections.abc import Hashable, Iterable, Sequence
from uuid import UUID

import orjson

from apps.common.databases import execute, write
from apps.sagas.engine.leases import ALONE_CLAIMS, LIVE_SQL
from apps.sagas.engine.state import Change, LogRecord, StepRecord
from apps.sagas.enums import DATABASE, Style

_NOW_UNLESS_HELD = "CASE WHEN lease_token = 0 THEN clock_timestamp() ELSE next_run_at END"


_RUN = """
    INSERT INTO sagas_sagarun (id, kind, kind_version, business_key, status, position, step,
        direction, data, weight, deadline_at, correlation_id, style, next_run_at)
    VALUES (%s, %s, %s, %s, 'pending', %s, %s, 'F', %s::jsonb, %s,
            clock_timestamp() + make_interval(secs => %s), %s, %s,
            clock_timestamp() + make_interval(secs => %s))
"""
_DONE = """
    INSERT INTO sagas_sagastep
        (run_id, position, direction, name, status, attempts, started_at, finished_at)
    SELECT %s, ordinality - 1, 'F', name, 'completed', 1, now(), now()
    FROM unnest(%s::text[]) WITH ORDINALITY AS done(name, ordinality)
"""


def insert(
    *,
    run_id: UUID,
    kind: str,
    kind_version: int,
    business_key: str,
    position: int,
    step: str,
    data: dict,
    weight: int,
    deadline: float | None,
    correlation_id: str,
    done: Sequence[str] = (),
    fresh: bool = False,
    style: str = Style.ORCHESTRATED.value,
) -> bool:
    """Inserts a run at ``position`` with its steps ``done`` so far; False if it exists already.
    A choreographed one is due when its ``deadline`` is over.

    One that is ``fresh`` cannot: both inserts wait for those that go together with them.
    """
    row = [
        *(run_id, kind, kind_version, business_key, position, step),
        *(orjson.dumps(data).decode(), weight, deadline, correlation_id, style),
        (deadline or 0.0) if style == Style.CHOREOGRAPHED else 0.0,
    ]
    if fresh:
        write(DATABASE, _RUN, row)
    elif not execute(DATABASE, f"{_RUN} ON CONFLICT (kind, business_key) DO NOTHING", row):
        return False
    if done:
        write(DATABASE, _DONE, [run_id, list(done)])
    return True


def insert_ready(
    *, kind: str, kind_version: int, position: int, step: str, runs: Sequence[tuple[UUID, str, str]]
) -> None:
    """Inserts runs (id, business key, correlation id) without data or deadline that begin at
    ``position``; one that exists already stays as it is."""
    execute(
        DATABASE,
        """
        INSERT INTO sagas_sagarun (id, kind, kind_version, business_key, status, position, step,
            direction, data, correlation_id)
        SELECT id, %s, %s, business_key, 'pending', %s, %s, 'F', '{}', correlation_id
        FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS new(id, business_key, correlation_id)
        ON CONFLICT (kind, business_key) DO NOTHING
        """,
        [
            *(kind, kind_version, position, step),
            *map(list, zip(*runs, strict=True)),
        ],
    )


def save(changes: Sequence[Change]) -> None:
    """Writes ``changes`` of held runs: their new state, their step's row, their log."""
    if not changes:
        return
    _save_runs(changes)
    _save_steps([change.step for change in changes if change.step])
    log([entry for change in changes for entry in change.log])


def _groups(values: Iterable[Hashable]) -> tuple[list[int], list]:
    """For each of ``values`` the number of its group, and the distinct values by that number.

    The runs of a batch mostly become the same: what they share is sent once.
    """
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(value, len(numbers)) for value in values], list(numbers)


def _save_runs(changes: Sequence[Change]) -> None:
    runs = [change.run for change in changes]
    numbers, groups = _groups(map(_new_state, changes))
    saved = execute(
        DATABASE,
        f"""
        UPDATE sagas_sagarun AS run SET
            status = new.status, position = new.position, step = new.step,
            direction = new.direction, attempt = new.attempt, step_since = new.step_since,
            claims = CASE WHEN new.goes_on THEN 1 WHEN new.apart THEN {ALONE_CLAIMS}
                ELSE 0 END,
            parked_steps = new.parked_steps, error_code = new.error_code,
            error_detail = new.error_detail, version = run.version + 1,
            lease_token = CASE WHEN new.goes_on THEN run.lease_token ELSE 0 END,
            lease_until = CASE WHEN new.goes_on THEN run.lease_until END,
            next_run_at = CASE WHEN new.goes_on THEN run.next_run_at
                ELSE clock_timestamp() + make_interval(secs => new.delay) END,
            finished_at = CASE WHEN new.status IN {LIVE_SQL} THEN NULL ELSE clock_timestamp() END
        FROM unnest(%s::uuid[], %s::bigint[], %s::int[]) AS held(id, token, number)
        JOIN unnest(%s::text[], %s::smallint[], %s::text[], %s::text[], %s::int[],
                %s::timestamptz[], %s::int[], %s::text[], %s::text[], %s::bool[], %s::float8[],
                %s::bool[]) WITH ORDINALITY
            AS new(status, position, step, direction, attempt, step_since, parked_steps,
                   error_code, error_detail, goes_on, delay, apart, number)
            ON new.number = held.number + 1
        WHERE run.id = held.id AND run.lease_token = held.token
        """,
        [
            [run.id for run in runs],
            [run.token for run in runs],
            numbers,
            *(list(column) for column in zip(*groups, strict=True)),
        ],
    )
    if saved != len(runs):
        raise RuntimeError(f"{len(runs) - saved} of {len(runs)} runs were not held")
    for run in runs:
        run.version += 1


def _new_state(change: Change) -> tuple:
    run = change.run
    return (
        str(run.status),
        run.position,
        run.step,
        str(run.direction),
        run.attempt,
        run.step_since,
        run.parked_steps,
        run.error_code[:60],
        run.error_detail[:2000],
        change.goes_on,
        change.delay or 0.0,
        change.apart,
    )


def _save_steps(steps: Sequence[StepRecord]) -> None:
    if not steps:
        return
    numbers, groups = _groups(map(_new_step, steps))
    execute(
        DATABASE,
        """
        INSERT INTO sagas_sagastep (run_id, position, direction, name, status, attempts, result,
            error_code, error_detail, started_at, finished_at)
        SELECT run_id, position, direction, name, status, attempts, result, error_code,
            error_detail, started_at, CASE WHEN finished THEN clock_timestamp() END
        FROM unnest(%s::uuid[], %s::int[]) AS step(run_id, number)
        JOIN unnest(%s::smallint[], %s::text[], %s::text[], %s::text[], %s::int[],
                %s::jsonb[], %s::text[], %s::text[], %s::timestamptz[], %s::bool[])
                WITH ORDINALITY
            AS new(position, direction, name, status, attempts, result, error_code,
                   error_detail, started_at, finished, number)
            ON new.number = step.number + 1
        ON CONFLICT (run_id, position, direction) DO UPDATE SET status = excluded.status,
            attempts = excluded.attempts, result = excluded.result,
            error_code = excluded.error_code, error_detail = excluded.error_detail,
            finished_at = excluded.finished_at
        """,
        [
            [step.run_id for step in steps],
            numbers,
            *(list(column) for column in zip(*groups, strict=True)),
        ],
    )


def _new_step(step: StepRecord) -> tuple:
    return (
        step.position,
        str(step.direction),
        step.name,
        str(step.status),
        step.attempts,
        None if step.result is None else orjson.dumps(step.result).decode(),
        step.error_code[:60],
        step.error_detail,
        step.started_at,
        step.finished,
    )


def log(entries: Sequence[LogRecord]) -> None:
    """Appends ``entries`` to the log."""
    if not entries:
        return
    execute(
        DATABASE,
        """
        INSERT INTO sagas_sagalogentry (run_id, event, position, direction, attempt, code, detail)
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::smallint[], %s::text[], %s::int[],
                             %s::text[], %s::text[])
        """,
        [
            [entry.run_id for entry in entries],
            [entry.event for entry in entries],
            [entry.position for entry in entries],
            [str(entry.direction) for entry in entries],
            [entry.attempt for entry in entries],
            [entry.code[:60] for entry in entries],
            [entry.detail for entry in entries],
        ],
    )


def request_abort(run_id: UUID, reason: str) -> bool:
    """Asks a live run to turn to compensation before its pivot; False if it has ended.

    ``reason`` (≤ 60 characters) becomes the run's error code."""
    return bool(
        execute(
            DATABASE,
            f"""
            UPDATE sagas_sagarun SET abort_requested = true, abort_reason = %s,
                next_run_at = {_NOW_UNLESS_HELD}
            WHERE id = %s AND status IN {LIVE_SQL}
            """,
            [reason[:60], run_id],
        )
    )


def wake(run_id: UUID) -> bool:
    """Makes a live run due now; False if it has ended. One that is held goes on anyway."""
    return bool(
        execute(
            DATABASE,
            f"UPDATE sagas_sagarun SET next_run_at = {_NOW_UNLESS_HELD}"
            f" WHERE id = %s AND status IN {LIVE_SQL}",
            [run_id],
        )
    )
