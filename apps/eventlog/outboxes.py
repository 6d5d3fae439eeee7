"""Outboxes beside the log: what was published must come into it, and goes once it has."""

from dataclasses import dataclass
from uuid import UUID

from apps.common.databases import execute, fetch_all
from apps.eventlog import sweeps
from apps.eventlog.archiving import GROUP
from apps.eventlog.selectors import archived
from apps.messaging.consuming.delivering import Verdict, deliver
from apps.messaging.relay.queue import ENVELOPE

SIZE = 1_000
MOST = 50_000  # rows of an outbox that one run looks at
LOST_AFTER = 120.0  # seconds since it was published that an event has for its way into the log
# No transaction takes longer: behind what began so long ago no lower id appears any more.
SETTLED_AFTER = 900.0


@dataclass(frozen=True, slots=True)
class _Row:
    """``old``: appended long enough ago, ``due``: published, too; ``settled``: neither it nor one
    before it will change any more."""

    id: int
    event_id: UUID
    old: bool
    due: bool
    settled: bool


_ROWS = """
    SELECT id, event_id, created_at < clock_timestamp() - make_interval(secs => %s),
        published_at IS NOT NULL
            AND published_at < clock_timestamp() - make_interval(secs => %s),
        (published_at IS NOT NULL OR dead_at IS NOT NULL)
            AND created_at < clock_timestamp() - make_interval(secs => %s)
    FROM messaging_outbox WHERE id > %s ORDER BY id LIMIT %s
"""


def outbox_archive(alias: str) -> int:
    """Puts into the log what was published a while ago and never came there, whatever the broker
    did with it; returns how many events. Looks once at each row, near enough."""
    mark = last = sweeps.last(alias, "outbox")
    looked = put = 0
    while looked < MOST:
        rows = _rows(alias, LOST_AFTER, last)
        put += _archive(alias, [row for row in rows if row.due])
        for row in rows:
            if mark == last and row.settled:
                mark = row.id
            last = row.id
        looked += len(rows)
        if len(rows) < SIZE or not any(row.old for row in rows):
            break
    sweeps.advance(alias, "outbox", mark)
    return put


def outbox_purge(alias: str, *, hours: float) -> int:
    """Deletes what was published more than ``hours`` ago and stands in the log; how many rows."""
    last = deleted = looked = 0
    while looked < MOST:
        rows = _rows(alias, hours * 3600, last)
        due = [row for row in rows if row.due]
        if due:
            _archive(alias, due)
            kept = archived([row.event_id for row in due])
            deleted += execute(
                alias,
                "DELETE FROM messaging_outbox WHERE id = ANY(%s::bigint[])",
                [[row.id for row in due if row.event_id in kept]],
            )
        if len(rows) < SIZE or not any(row.old for row in rows):
            break
        last = rows[-1].id
        looked += len(rows)
    return deleted


def _rows(alias: str, seconds: float, last: int) -> list[_Row]:
    found = fetch_all(alias, _ROWS, [seconds, seconds, SETTLED_AFTER, last, SIZE])
    return [_Row(*row) for row in found]


def _archive(alias: str, rows: list[_Row]) -> int:
    """Delivers those that are not in the log to its group; how many were."""
    known = archived([row.event_id for row in rows]) if rows else set()
    missing = [row.id for row in rows if row.event_id not in known]
    if not missing:
        return 0
    bodies = fetch_all(
        alias,
        f"SELECT {ENVELOPE} FROM messaging_outbox WHERE id = ANY(%s::bigint[]) ORDER BY id",
        [missing],
    )
    verdicts = deliver(GROUP, [body.encode() for (body,) in bodies], repeated=range(len(bodies)))
    return verdicts.count(Verdict.APPLIED)
