"""Reads of saga state."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from apps.common.databases import fetch_all, fetch_one
from apps.sagas.contracts import RunState, RunView, SagaMoment, SagaTrouble, StepView
from apps.sagas.enums import DATABASE, LIVE, Direction
from apps.sagas.models import SagaRun


def run_id(*, kind: str, business_key: str) -> UUID | None:
    """The id of the run of ``kind`` for ``business_key``."""
    runs = SagaRun.objects.filter(kind=kind, business_key=business_key)
    return runs.values_list("id", flat=True).first()


def run_status(run_id: UUID) -> str | None:
    """The status of a run."""
    row = fetch_one(
        DATABASE, "SELECT status FROM sagas_sagarun WHERE id = %s", [run_id], prepared=True
    )
    return row and row[0]


def run_style(run_id: UUID) -> str | None:
    """Whether the engine drives the run or its participants do."""
    row = fetch_one(DATABASE, "SELECT style FROM sagas_sagarun WHERE id = %s", [run_id])
    return row and row[0]


def run_view(run_id: UUID) -> RunView | None:
    """A run with its steps in the order they began."""
    run = SagaRun.objects.filter(pk=run_id).first()
    if run is None:
        return None
    steps = tuple(
        StepView(
            step.name,
            step.get_direction_display(),
            step.status,
            step.attempts,
            step.error_code,
            step.started_at,
            step.finished_at,
        )
        for step in run.steps.order_by("started_at", "id")
    )
    return RunView(
        run.id,
        run.kind,
        run.business_key,
        run.status,
        run.step,
        run.version,
        run.error_code,
        run.correlation_id,
        run.created_at,
        run.finished_at,
        steps,
    )


def states(*, kind: str, business_keys: Sequence[str]) -> dict[str, RunState]:
    """State by business key of the runs of ``kind``."""
    rows = fetch_all(
        DATABASE,
        "SELECT id, kind, business_key, status, version FROM sagas_sagarun"
        " WHERE kind = %s AND business_key = ANY(%s)",
        [kind, list(business_keys)],
    )
    return {row[2]: RunState(*row) for row in rows}


def runs_of(*, business_key: str) -> tuple[RunState, ...]:
    """The runs of a business key, oldest first."""
    rows = fetch_all(
        DATABASE,
        "SELECT id, kind, business_key, status, version FROM sagas_sagarun"
        " WHERE business_key = %s ORDER BY id",
        [business_key],
    )
    return tuple(RunState(*row) for row in rows)


def stale_runs(*, older_than: float) -> Iterator[UUID]:
    """Live runs begun more than ``older_than`` seconds ago, by the database's clock."""
    rows = fetch_all(
        DATABASE,
        "SELECT id FROM sagas_sagarun WHERE status = ANY(%s)"
        " AND created_at < clock_timestamp() - make_interval(secs => %s) ORDER BY created_at",
        [[status.value for status in LIVE], older_than],
    )
    return (row[0] for row in rows)


def history(*, business_keys: Sequence[str], most: int) -> tuple[SagaMoment, ...]:
    """What happened to all runs of these keys, oldest first; at most ``most`` moments."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT coalesce(s.finished_at, s.started_at) AS at, r.id, r.kind, s.name, s.status,
               s.direction, s.attempts, s.error_code, s.error_detail,
               extract(epoch FROM s.finished_at - s.started_at)::float8
        FROM sagas_sagarun r JOIN sagas_sagastep s ON s.run_id = r.id
        WHERE r.business_key = ANY(%s)
        UNION ALL
        SELECT l.at, r.id, r.kind, '', l.event, l.direction, l.attempt, l.code, l.detail, NULL
        FROM sagas_sagarun r JOIN sagas_sagalogentry l ON l.run_id = r.id
        WHERE r.business_key = ANY(%s)
        ORDER BY at LIMIT %s
        """,
        [list(business_keys), list(business_keys), most],
    )
    return tuple(SagaMoment(*row[:5], Direction(row[5]).label, *row[6:]) for row in rows)


def troubled(*, slow_after: float, most: int) -> tuple[int, int, tuple[SagaTrouble, ...]]:
    """How many runs are parked, how many live ones are older than ``slow_after`` seconds, and
    the oldest of both, parked first."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT id, kind, business_key, step, error_code, created_at, parked,
               count(*) FILTER (WHERE parked) OVER (), count(*) OVER ()
        FROM (
            SELECT id, kind, business_key, step, error_code, created_at, true AS parked
            FROM sagas_sagarun WHERE status = 'failed'
            UNION ALL
            SELECT id, kind, business_key, step, error_code, created_at, false
            FROM sagas_sagarun WHERE status = ANY(%s)
                AND created_at < clock_timestamp() - make_interval(secs => %s)
        ) AS trouble
        ORDER BY parked DESC, created_at LIMIT %s
        """,
        [[status.value for status in LIVE], slow_after, most],
    )
    if not rows:
        return 0, 0, ()
    parked, both = rows[0][7:]
    return parked, both - parked, tuple(SagaTrouble(*row[:7]) for row in rows)


def unfinished() -> list[tuple[str, str, int]]:
    """(kind, status, how many) of the runs that have not ended, and of the parked ones."""
    return fetch_all(
        DATABASE,
        """
        SELECT kind, status, count(*) FROM sagas_sagarun
        WHERE status = ANY(%s) GROUP BY kind, status
        UNION ALL
        SELECT kind, status, count(*) FROM sagas_sagarun
        WHERE status = 'failed' GROUP BY kind, status
        """,
        [[status.value for status in LIVE]],
    )
