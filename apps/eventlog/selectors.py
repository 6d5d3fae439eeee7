"""Reads the log."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.common.contracts import encode
from apps.common.databases import fetch_all, fetch_one
from apps.eventlog.enums import DATABASE

NO_END = 2**63 - 1
_BODY = """
    json_build_object('event_id', event_id, 'topic', topic, 'aggregate', aggregate,
        'aggregate_version', aggregate_version, 'schema_version', schema_version,
        'occurred_at', occurred_at, 'payload', payload, 'headers', headers)::text
"""
# A pattern that ends in ".*" is a kind: what LIKE finds.
_WANTED = "(topic LIKE ANY(%s::text[]))"


@dataclass(frozen=True, slots=True)
class Logged:
    """``body`` is the event's ``Envelope`` as JSON: what ``deliver`` and ``parse`` take."""

    position: int
    event_id: UUID
    topic: str
    logged_at: datetime
    body: bytes


def events_since(
    position: int,
    topics: Sequence[str],
    limit: int,
    *,
    until: int = NO_END,
    headers: Mapping[str, str] | None = None,
) -> list[Logged]:
    """Up to ``limit`` events behind ``position``, of ``topics`` (``order.placed``, ``order.*``,
    ``*``), in the order of the log; not behind ``until``, and only with these ``headers``.

    Positions become visible in their order: who goes on from the last one returned misses none.
    They have gaps. A fresh reader begins with 0.
    """
    rows = fetch_all(
        DATABASE,
        f"SELECT position, event_id, topic, logged_at, {_BODY} FROM eventlog_event"
        f" WHERE position > %s AND position <= %s AND {_WANTED} AND headers @> %s::jsonb"
        " ORDER BY position LIMIT %s",
        [
            *(position, until, [like(topic) for topic in topics]),
            *(encode(dict(headers or {})).decode(), limit),
        ],
    )
    return [_logged(row) for row in rows]


def last_position() -> int:
    """That of the newest event; 0 where there is none."""
    return fetch_one(DATABASE, "SELECT coalesce(max(position), 0) FROM eventlog_event")[0]


def events_by_id(event_ids: Collection[UUID]) -> list[Logged]:
    """Those of ``event_ids`` that are in the log, in its order."""
    rows = fetch_all(
        DATABASE,
        f"SELECT position, event_id, topic, logged_at, {_BODY} FROM eventlog_event"
        " WHERE event_id = ANY(%s::uuid[]) ORDER BY position",
        [list(event_ids)],
    )
    return [_logged(row) for row in rows]


def archived(event_ids: Collection[UUID]) -> set[UUID]:
    """Those of ``event_ids`` that are in the log."""
    rows = fetch_all(
        DATABASE,
        "SELECT event_id FROM eventlog_event WHERE event_id = ANY(%s::uuid[])",
        [list(event_ids)],
        prepared=True,
    )
    return {row[0] for row in rows}


def like(topic: str) -> str:
    """The pattern of a topic or kind of topics for LIKE."""
    if topic == "*":
        return "%"
    escaped = topic.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
    return f"{escaped[:-1]}%" if topic.endswith(".*") else escaped


def _logged(row: tuple) -> Logged:
    position, event_id, topic, logged_at, body = row
    return Logged(position, event_id, topic, logged_at, body.encode())
