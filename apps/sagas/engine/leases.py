"""Who holds which run, and until when: claiming, holding and renewing.

Leases and due times are set and compared by the database's clock. Every transaction of a claimed
batch begins with ``hold``: it locks the runs whose token is still the holder's and returns only
them, so a holder that was too slow writes nothing.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import orjson

from apps.common.databases import execute, fetch_all, fetch_one
from apps.sagas.engine.state import Run
from apps.sagas.enums import DATABASE, LIVE

MAX_BATCHED_CLAIMS = 2  # claimed so often without progress, a run comes in a small batch …
SMALL_BATCHES = {2: 16, 3: 4}  # … of so many, by how often they were claimed …
ALONE_CLAIMS = 4  # … from then on alone …
MAX_CLAIMS = 6  # … and after so many it is parked: it kills whoever holds it
RESERVED = 16  # one part in so many of a batch is kept for each kind and direction
LIVE_SQL = "(" + ", ".join(f"'{status.value}'" for status in LIVE) + ")"
_DUE = f"status IN {LIVE_SQL} AND next_run_at <= (SELECT clock_timestamp())"
_CLAIMABLE = f"{_DUE} AND style = 'orchestrated'"
COLUMNS = (
    "id, kind, kind_version, business_key, status, position, step, direction, attempt,"
    " step_since, claims, data::text, parked_steps, abort_requested, deadline_at, version,"
    " correlation_id, error_code, error_detail, abort_reason, lease_token,"
    " compensations_left"
)


def claim(*, limit: int, weight: int, lease: float) -> list[Run]:
    """Claims the oldest due runs under a fresh token: at most ``limit``, of ``weight`` in all.

    ``lease`` in seconds. Each kind and direction that is due has a share of the batch, however
    many others are older. Runs that were claimed ``MAX_BATCHED_CLAIMS`` times without progress
    come first, in ever smaller batches: whoever was there when a holder died is soon cleared, and
    the one that kills it is alone in the end and hurts only itself.
    """
    since = time.monotonic()
    token, suspect = fetch_one(
        DATABASE,
        f"""
        SELECT nextval('saga_lease_token'), (
            SELECT max(claims) FROM sagas_sagarun
            WHERE {_CLAIMABLE} AND claims >= {MAX_BATCHED_CLAIMS})
        """,
    )
    rows = []
    if suspect is not None:
        together = min(SMALL_BATCHES.get(suspect, 1), limit)
        rows = _claim(_SUSPECT, [suspect, together, token, lease, lease])
    if not rows:
        share = max(1, limit // RESERVED)
        rows = _claim(_FAIR, [limit, share, limit, weight, token, lease, lease])
    # Ids are UUIDv7: sorted by id = in the order of acceptance.
    return sorted((run_of(row, since) for row in rows), key=lambda run: run.id)


_SUSPECT = f"""
    WITH taken AS MATERIALIZED (
        SELECT id FROM sagas_sagarun WHERE {_CLAIMABLE} AND claims = %s
        ORDER BY next_run_at LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""

# The kinds and directions there are, by jumping from one to the next in the index; the oldest of
# each; of these first everybody's share, then by age, as far as the batch's weight goes.
_FAIR = f"""
    WITH RECURSIVE class AS (
        (SELECT kind, direction FROM sagas_sagarun WHERE status IN {LIVE_SQL}
         ORDER BY kind, direction LIMIT 1)
        UNION ALL
        SELECT following.* FROM class, LATERAL (
            SELECT kind, direction FROM sagas_sagarun AS run WHERE status IN {LIVE_SQL}
            AND (run.kind, run.direction) > (class.kind, class.direction)
            ORDER BY kind, direction LIMIT 1) AS following
    ), due AS MATERIALIZED (
        SELECT oldest.*, row_number() OVER (
            PARTITION BY class.kind, class.direction ORDER BY next_run_at, id) AS place
        FROM class, LATERAL (
            SELECT id, weight, next_run_at FROM sagas_sagarun AS run
            WHERE {_CLAIMABLE} AND claims < {MAX_BATCHED_CLAIMS}
            AND run.kind = class.kind AND run.direction = class.direction
            ORDER BY next_run_at LIMIT %s FOR UPDATE SKIP LOCKED) AS oldest
    ), queued AS (
        SELECT id, weight, place > %s AS unreserved, next_run_at FROM due
        ORDER BY unreserved, next_run_at, id LIMIT %s
    ), taken AS MATERIALIZED (
        SELECT id FROM (
            SELECT id, sum(weight) OVER (ORDER BY unreserved, next_run_at, id) - weight AS before
            FROM queued) AS weighed
        WHERE before < %s
    )
"""

# What a claim changes: nothing else writes the columns of the indexes until the run rests again.
_TAKE = f"""
    UPDATE sagas_sagarun SET lease_token = %s, claims = claims + 1,
        status = CASE status WHEN 'pending' THEN 'in_progress' ELSE status END,
        lease_until = clock_timestamp() + make_interval(secs => %s),
        next_run_at = clock_timestamp() + make_interval(secs => %s)
    WHERE id IN (SELECT id FROM taken)
    RETURNING {COLUMNS}
"""


def _claim(which: str, params: Sequence) -> list[tuple]:
    return fetch_all(DATABASE, which + _TAKE, params)


def run_of(row: tuple, since: float = 0.0) -> Run:
    """The run of a row of ``COLUMNS``."""
    run = Run(*row[:11], orjson.loads(row[11]), *row[12:])  # in the order of COLUMNS
    run.leased_at, run.name = since, str(run.id)
    return run


def hold(runs: Iterable[Run], lease: float, *, wait: bool = True) -> tuple[list[Run], datetime]:
    """Locks and returns the runs whose token is still theirs, with the database's time.

    Unless it is to ``wait`` for them, those that somebody else has locked are left out.

    Refreshes what others may ask of a held run (``abort_requested``) and renews a lease that is
    no longer young. The runs returned are copies: where the transaction fails, the caller's own
    are as before. One that moved on since the caller's copy was made (turned back, or by a commit
    whose answer was lost) is not returned: the copy would undo that.
    """
    known = {run.id: run for run in runs}
    begun = time.monotonic()
    rows = fetch_all(DATABASE, _HOLD if wait else _HOLD_FREE, [list(known)])
    mine = []
    for run_id, token, version, abort_requested, abort_reason, _ in rows:
        run = known[run_id]
        if run.token == token and run.version == version:
            run = run.copy()
            run.abort_requested, run.abort_reason = abort_requested, abort_reason
            mine.append(run)
    old = [run for run in mine if begun - run.leased_at > lease / 6]
    if old:
        _extend([run.id for run in old], lease)
        for run in old:
            run.leased_at = begun
    return mine, rows[-1][-1] if rows else now()


# The clock is read once the rows are locked.
_HOLD = """
    WITH held AS MATERIALIZED (
        SELECT id, lease_token, version, abort_requested, abort_reason
        FROM sagas_sagarun WHERE id = ANY(%s) ORDER BY id FOR UPDATE
    )
    SELECT held.*, clock_timestamp() FROM held
"""
_HOLD_FREE = _HOLD.replace("FOR UPDATE", "FOR UPDATE SKIP LOCKED")


def renew(runs: Sequence[Run], lease: float) -> None:
    """Renews the leases of those ``runs`` that are still their holder's; one that somebody else
    has locked is left for the next time."""
    begun = time.monotonic()
    rows = fetch_all(
        DATABASE,
        """
        WITH mine AS MATERIALIZED (
            SELECT id FROM sagas_sagarun JOIN unnest(%s::uuid[], %s::bigint[]) AS held(id, token)
            USING (id) WHERE lease_token = held.token ORDER BY id
            FOR UPDATE OF sagas_sagarun SKIP LOCKED
        )
        UPDATE sagas_sagarun SET lease_until = clock_timestamp() + make_interval(secs => %s),
            next_run_at = clock_timestamp() + make_interval(secs => %s)
        WHERE id IN (SELECT id FROM mine) RETURNING id
        """,
        [[run.id for run in runs], [run.token for run in runs], lease, lease],
    )
    kept = {run_id for (run_id,) in rows}
    for run in runs:
        if run.id in kept:
            run.leased_at = begun


def _extend(run_ids: Sequence, lease: float) -> None:
    execute(
        DATABASE,
        """
        UPDATE sagas_sagarun SET lease_until = clock_timestamp() + make_interval(secs => %s),
            next_run_at = clock_timestamp() + make_interval(secs => %s)
        WHERE id = ANY(%s)
        """,
        [lease, lease, list(run_ids)],
    )


def history(runs: Sequence[Run]) -> dict[UUID, dict[int, str]]:
    """The steps that ``runs`` went forward, by run: position → name."""
    found: dict[UUID, dict[int, str]] = {run.id: {} for run in runs}
    for run_id, position, name in fetch_all(
        DATABASE,
        "SELECT run_id, position, name FROM sagas_sagastep"
        " WHERE run_id = ANY(%s) AND direction = 'F'",
        [list(found)],
    ):
        found[run_id][position] = name
    return found


def now() -> datetime:
    """The database's clock."""
    return fetch_one(DATABASE, "SELECT clock_timestamp()")[0]


def any_due() -> bool:
    """Whether a run waits to be claimed, or to be looked after."""
    return fetch_one(DATABASE, f"SELECT EXISTS (SELECT FROM sagas_sagarun WHERE {_DUE})")[0]
