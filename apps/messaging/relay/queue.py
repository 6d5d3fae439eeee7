"""The outbox as a queue: what is due, and what became of it.

A queue, not a cursor: an event whose transaction commits late has a lower id than others that were
published long before, and is found all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.common.databases import execute, fetch_all, fetch_one
from apps.common.failpoints import failpoint
from apps.common.storing import MAX_TEXT, storable

CONSUMER = "relay"  # of its dead letters
BACKOFF_BASE, BACKOFF_CAP = 0.5, 60.0  # seconds, full jitter


@dataclass(frozen=True, slots=True)
class Due:
    """An event to be published; ``body`` is its envelope, None where that is too large."""

    id: int
    event_id: str
    topic: str
    aggregate: str
    attempts: int
    size: int
    body: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """``due`` was not taken; ``dead``: and never will be."""

    due: Due
    reason: str
    error: str
    dead: bool


def claim(alias: str, token: UUID, limit: int, most_bytes: int) -> list[Due]:
    """The oldest events that are due, in the order of their ids; none where ``token`` holds no
    lease. Those of an aggregate of which an earlier event waits for its next attempt wait too."""
    rows = fetch_all(alias, CLAIM, [token, limit, most_bytes])
    return [Due(*row) for row in rows]


# The envelope of a row of the outbox.
ENVELOPE = """
    json_build_object('event_id', event_id, 'topic', topic, 'aggregate', aggregate,
        'aggregate_version', aggregate_version, 'schema_version', schema_version,
        'occurred_at', created_at, 'payload', payload, 'headers', headers)::text
"""
# However much waits, and whatever the planner believes about it, a claim reads what it takes and
# what was refused: NOT IN and IN are hashed once, and the condition on dead_at is one of which
# nothing follows for the index of all that waits.
CLAIM = f"""
    WITH refused AS MATERIALIZED (
        SELECT id, aggregate, next_attempt_at <= clock_timestamp() AND row_number() OVER (
            PARTITION BY aggregate ORDER BY id) = 1 AS again
        FROM messaging_outbox
        WHERE published_at IS NULL AND attempts > 0
        AND coalesce(dead_at, 'infinity') = 'infinity'
    ), due AS MATERIALIZED (
        SELECT id, event_id::text, topic, aggregate, attempts, {ENVELOPE} AS body
        FROM messaging_outbox
        WHERE published_at IS NULL AND dead_at IS NULL
        AND (SELECT token = %s AND until > clock_timestamp() FROM messaging_relaylease)
        AND CASE WHEN attempts = 0 THEN aggregate NOT IN (SELECT aggregate FROM refused)
            ELSE id IN (SELECT id FROM refused WHERE again) END
        ORDER BY id LIMIT %s
    )
    SELECT id, event_id, topic, aggregate, attempts, octet_length(body),
        CASE WHEN octet_length(body) <= %s THEN body END
    FROM due ORDER BY id
"""


def mark(alias: str, published: Sequence[Due], refused: Sequence[Refusal]) -> None:
    """Records what became of claimed events, in one transaction.

    Safe for a relay that lost its lease meanwhile: what another one has published stays so, and no
    attempt is counted twice.
    """
    with transaction.atomic(using=alias):
        if published:
            execute(
                alias,
                "UPDATE messaging_outbox SET published_at = clock_timestamp()"
                " WHERE id = ANY(%s::bigint[]) AND published_at IS NULL",
                [[one.id for one in published]],
            )
        if refused:
            execute(alias, _REFUSE, _columns(refused))
        failpoint("relay.mark.before_commit")
    failpoint("relay.mark.after_commit")


def _columns(refused: Sequence[Refusal]) -> list:
    return [
        [one.due.id for one in refused],
        [one.due.attempts for one in refused],
        [one.reason for one in refused],
        [storable(one.error[:MAX_TEXT]) for one in refused],
        [one.dead for one in refused],
        BACKOFF_CAP,
        BACKOFF_BASE,
        CONSUMER,
    ]


_REFUSE = f"""
    WITH refusal AS (
        SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::text[], %s::text[], %s::boolean[])
            AS one(id, attempts, reason, error, dead)
    ), marked AS (
        UPDATE messaging_outbox AS event SET attempts = event.attempts + 1,
            next_attempt_at = clock_timestamp() + make_interval(
                secs => random() * least(%s, %s * 2 ^ least(event.attempts, 20))),
            dead_at = CASE WHEN refusal.dead THEN clock_timestamp() END
        FROM refusal
        WHERE event.id = refusal.id AND event.attempts = refusal.attempts
        AND event.published_at IS NULL AND event.dead_at IS NULL
        RETURNING event.*, refusal.reason, refusal.error, refusal.dead
    )
    INSERT INTO messaging_deadletter (consumer, event_id, topic, body, headers, reason, error)
    SELECT %s, event_id, topic, convert_to({ENVELOPE}, 'UTF8'), headers, reason, error
    FROM marked WHERE dead
    ON CONFLICT (consumer, event_id) DO UPDATE
        SET reason = excluded.reason, error = excluded.error, redriven_at = NULL,
            deaths = messaging_deadletter.deaths + 1, last_at = clock_timestamp()
"""


def revive(alias: str, event_ids: Sequence[UUID]) -> int:
    """Sends dead events on their way again, with all their attempts before them; returns how
    many. For whoever redrives the dead letters of ``CONSUMER``."""
    return execute(
        alias,
        "UPDATE messaging_outbox SET dead_at = NULL, attempts = 0"
        " WHERE event_id = ANY(%s::uuid[]) AND dead_at IS NOT NULL",
        [list(event_ids)],
    )


@dataclass(frozen=True, slots=True)
class Backlog:
    """``waiting`` events of which the oldest is ``age`` seconds old (0 where none waits);
    ``refused``: those that wait for another attempt, ``dead``: those given up."""

    waiting: int
    age: float
    refused: int
    dead: int


def backlog(alias: str) -> Backlog:
    """How far the outbox of ``alias`` is behind."""
    return Backlog(
        *fetch_one(
            alias,
            """
            SELECT count(*),
                coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8,
                count(*) FILTER (WHERE attempts > 0),
                (SELECT count(*) FROM messaging_outbox WHERE dead_at IS NOT NULL)
            FROM messaging_outbox WHERE published_at IS NULL AND dead_at IS NULL
            """,
        )
    )
