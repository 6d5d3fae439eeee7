"""The one module whose SQL writes ``saga_run``, ``saga_step`` and ``saga_log``.

Leases and due times are set and compared by the database's clock. Every transaction of a claimed
batch begins with ``hold``: it locks the runs whose token is still the holder's and returns only
them, so a holder that was too slow writes nothing.
"""

import copy
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import orjson

from apps.common.databases import execute, fetch_all, fetch_one
from apps.sagas.engine.state import Change, LogRecord, Run
from apps.sagas.enums import DATABASE, LIVE

MAX_BATCHED_CLAIMS = 2  # claimed so often without progress, a run is claimed alone …
MAX_CLAIMS = 6  # … and after so many it is parked: it kills whoever holds it
_LIVE = "(" + ", ".join(f"'{status.value}'" for status in LIVE) + ")"
_NOW_UNLESS_HELD = "CASE WHEN lease_token = 0 THEN clock_timestamp() ELSE next_run_at END"
_COLUMNS = (
    "id, kind, kind_version, business_key, status, position, step, direction, attempt,"
    " step_since, claims, data, parked_steps, abort_requested, deadline_at, version,"
    " correlation_id, error_code, error_detail"
)


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
) -> bool:
    """Inserts a run at ``position`` with its steps ``done`` so far; False if it exists already."""
    inserted = execute(
        DATABASE,
        """
        INSERT INTO sagas_sagarun (id, kind, kind_version, business_key, status, position, step,
            direction, data, weight, deadline_at, correlation_id)
        VALUES (%s, %s, %s, %s, 'pending', %s, %s, 'F', %s::jsonb, %s,
                clock_timestamp() + make_interval(secs => %s), %s)
        ON CONFLICT (kind, business_key) DO NOTHING
        """,
        [
            *(run_id, kind, kind_version, business_key, position, step),
            *(orjson.dumps(data).decode(), weight, deadline, correlation_id),
        ],
    )
    if inserted and done:
        execute(
            DATABASE,
            """
            INSERT INTO sagas_sagastep
                (run_id, position, direction, name, status, attempts, started_at, finished_at)
            SELECT %s, ordinality - 1, 'F', name, 'completed', 1, now(), now()
            FROM unnest(%s::text[]) WITH ORDINALITY AS done(name, ordinality)
            """,
            [run_id, list(done)],
        )
    return bool(inserted)


def claim(*, limit: int, weight: int, lease: float) -> tuple[int, list[Run]]:
    """Claims the oldest due runs under a fresh token: at most ``limit``, of ``weight`` in all.

    Returns the token and the runs. ``lease`` in seconds. A run that was claimed
    ``MAX_BATCHED_CLAIMS`` times without progress comes alone, so that it can hurt only itself.
    """
    token, suspect = fetch_one(
        DATABASE,
        f"""
        SELECT nextval('saga_lease_token'), EXISTS (
            SELECT FROM sagas_sagarun WHERE status IN {_LIVE} AND claims >= %s
            AND next_run_at <= (SELECT clock_timestamp()))
        """,
        [MAX_BATCHED_CLAIMS],
    )
    if suspect:
        runs = _claim(token, "claims >= %s", 1, weight, lease)
        if runs:
            return token, runs
    return token, _claim(token, "claims < %s", limit, weight, lease)


def _claim(token: int, which: str, limit: int, weight: int, lease: float) -> list[Run]:
    rows = fetch_all(
        DATABASE,
        f"""
        WITH due AS MATERIALIZED (
            SELECT id, weight, next_run_at FROM sagas_sagarun
            WHERE status IN {_LIVE} AND next_run_at <= (SELECT clock_timestamp()) AND {which}
            ORDER BY next_run_at LIMIT %s FOR UPDATE SKIP LOCKED
        ), capped AS (
            SELECT id, sum(weight) OVER ordered - weight AS before FROM due
            WINDOW ordered AS (ORDER BY next_run_at, id)
        )
        UPDATE sagas_sagarun SET lease_token = %s, claims = claims + 1,
            lease_until = clock_timestamp() + make_interval(secs => %s),
            next_run_at = clock_timestamp() + make_interval(secs => %s)
        WHERE id IN (SELECT id FROM capped WHERE before < %s)
        RETURNING {_COLUMNS.replace("data,", "data::text,")}
        """,
        [MAX_BATCHED_CLAIMS, limit, token, lease, lease, weight],
    )
    # Ids are UUIDv7: sorted by id = in the order of acceptance.
    return sorted((_run(row) for row in rows), key=lambda run: run.id)


def _run(row: tuple) -> Run:
    return Run(*row[:11], orjson.loads(row[11]), *row[12:])  # in the order of _COLUMNS


def hold(token: int, runs: Iterable[Run], lease: float) -> tuple[list[Run], datetime]:
    """Locks and returns the runs still held under ``token``, with the database's time.

    Refreshes what others may ask of a held run (``abort_requested``) and renews the lease. The
    runs returned are copies: where the transaction fails, the caller's own are as before. One
    that moved on since the caller's copy was made (turned back, or by a commit whose answer was
    lost) is not returned: the copy would undo that.
    """
    known = {run.id: copy.copy(run) for run in runs}
    rows = fetch_all(
        DATABASE,
        """
        WITH mine AS MATERIALIZED (
            SELECT id FROM sagas_sagarun WHERE id = ANY(%s) AND lease_token = %s
            ORDER BY id FOR UPDATE
        )
        UPDATE sagas_sagarun SET lease_until = clock_timestamp() + make_interval(secs => %s),
            next_run_at = clock_timestamp() + make_interval(secs => %s)
        WHERE id IN (SELECT id FROM mine) AND lease_token = %s
        RETURNING id, version, abort_requested, abort_reason
        """,
        [list(known), token, lease, lease, token],
    )
    mine = []
    for run_id, version, abort_requested, abort_reason in rows:
        run = known[run_id]
        if run.version == version:
            run.abort_requested, run.abort_reason = abort_requested, abort_reason
            mine.append(run)
    return sorted(mine, key=lambda run: run.id), now()


def renew(token: int, run_ids: Sequence[UUID], lease: float) -> None:
    """Renews the leases of those runs that are still held under ``token``."""
    execute(
        DATABASE,
        """
        WITH mine AS MATERIALIZED (
            SELECT id FROM sagas_sagarun WHERE id = ANY(%s) AND lease_token = %s
            ORDER BY id FOR UPDATE
        )
        UPDATE sagas_sagarun SET lease_until = clock_timestamp() + make_interval(secs => %s),
            next_run_at = clock_timestamp() + make_interval(secs => %s)
        WHERE id IN (SELECT id FROM mine)
        """,
        [list(run_ids), token, lease, lease],
    )


def now() -> datetime:
    """The database's clock."""
    return fetch_one(DATABASE, "SELECT clock_timestamp()")[0]


def save(token: int, changes: Sequence[Change]) -> None:
    """Writes ``changes`` of held runs: their new state, their step's row, their log."""
    if not changes:
        return
    _save_runs(token, changes)
    _save_steps([change.step for change in changes if change.step])
    log([entry for change in changes for entry in change.log])


def _save_runs(token: int, changes: Sequence[Change]) -> None:
    runs = [change.run for change in changes]
    saved = execute(
        DATABASE,
        f"""
        UPDATE sagas_sagarun AS run SET
            status = new.status, position = new.position, step = new.step,
            direction = new.direction, attempt = new.attempt, step_since = new.step_since,
            claims = CASE WHEN new.goes_on THEN 1 ELSE 0 END,
            parked_steps = new.parked_steps, error_code = new.error_code,
            error_detail = new.error_detail, version = run.version + 1,
            lease_token = CASE WHEN new.goes_on THEN run.lease_token ELSE 0 END,
            lease_until = CASE WHEN new.goes_on THEN run.lease_until END,
            next_run_at = CASE WHEN new.goes_on THEN run.next_run_at
                ELSE clock_timestamp() + make_interval(secs => new.delay) END,
            finished_at = CASE WHEN new.status IN {_LIVE} THEN NULL ELSE clock_timestamp() END
        FROM unnest(%s::uuid[], %s::text[], %s::smallint[], %s::text[], %s::text[], %s::int[],
                %s::timestamptz[], %s::int[], %s::text[], %s::text[], %s::bool[], %s::float8[])
            AS new(id, status, position, step, direction, attempt, step_since, parked_steps,
                   error_code, error_detail, goes_on, delay)
        WHERE run.id = new.id AND run.lease_token = %s
        """,
        [
            [run.id for run in runs],
            [str(run.status) for run in runs],
            [run.position for run in runs],
            [run.step for run in runs],
            [str(run.direction) for run in runs],
            [run.attempt for run in runs],
            [run.step_since for run in runs],
            [run.parked_steps for run in runs],
            [run.error_code[:60] for run in runs],
            [run.error_detail[:2000] for run in runs],
            [change.goes_on for change in changes],
            [change.delay or 0.0 for change in changes],
            token,
        ],
    )
    if saved != len(runs):
        raise RuntimeError(f"{len(runs) - saved} of {len(runs)} runs were not held")
    for run in runs:
        run.version += 1


def _save_steps(steps: Sequence) -> None:
    if not steps:
        return
    execute(
        DATABASE,
        """
        INSERT INTO sagas_sagastep (run_id, position, direction, name, status, attempts, result,
            error_code, error_detail, started_at, finished_at)
        SELECT run_id, position, direction, name, status, attempts, result, error_code,
            error_detail, started_at, CASE WHEN finished THEN clock_timestamp() END
        FROM unnest(%s::uuid[], %s::smallint[], %s::text[], %s::text[], %s::text[], %s::int[],
                %s::jsonb[], %s::text[], %s::text[], %s::timestamptz[], %s::bool[])
            AS new(run_id, position, direction, name, status, attempts, result, error_code,
                   error_detail, started_at, finished)
        ON CONFLICT (run_id, position, direction) DO UPDATE SET status = excluded.status,
            attempts = excluded.attempts, result = excluded.result,
            error_code = excluded.error_code, error_detail = excluded.error_detail,
            finished_at = excluded.finished_at
        """,
        [
            [step.run_id for step in steps],
            [step.position for step in steps],
            [str(step.direction) for step in steps],
            [step.name for step in steps],
            [str(step.status) for step in steps],
            [step.attempts for step in steps],
            [None if step.result is None else orjson.dumps(step.result).decode() for step in steps],
            [step.error_code[:60] for step in steps],
            [step.error_detail for step in steps],
            [step.started_at for step in steps],
            [step.finished for step in steps],
        ],
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
            WHERE id = %s AND status IN {_LIVE}
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
            f" WHERE id = %s AND status IN {_LIVE}",
            [run_id],
        )
    )


def any_due() -> bool:
    """Whether a run waits to be claimed."""
    [due] = fetch_one(
        DATABASE,
        f"""
        SELECT EXISTS (SELECT FROM sagas_sagarun WHERE status IN {_LIVE}
                       AND next_run_at <= (SELECT clock_timestamp()))
        """,
    )
    return due
