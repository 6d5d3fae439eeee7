"""What is kept of events that were not applied at once: attempts, and dead letters."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from apps.common.databases import execute, fetch_all, fetch_one
from apps.common.storing import storable

RETRY_BASE, RETRY_CAP = 0.5, 60.0  # seconds
LONGEST_TOPIC = 100
NO_HEADERS = "{}"


@dataclass(frozen=True, slots=True)
class Past:
    """What befell an event before: how often it was tried alone and why that failed, whether it is
    to wait still, and whether it is a dead letter that nobody has redriven."""

    attempts: int
    error: str
    waits: bool
    dead: bool


@dataclass(frozen=True, slots=True)
class Letter:
    event_id: UUID
    topic: str
    body: bytes
    headers: dict[str, str]
    reason: str
    error: str


_PASTS = """
    SELECT event_id, attempts, last_error, next_attempt_at > clock_timestamp(), false
    FROM messaging_deliveryattempt WHERE consumer = %s AND event_id = ANY(%s::uuid[])
    UNION ALL
    SELECT event_id, 0, '', false, true FROM messaging_deadletter
    WHERE consumer = %s AND event_id = ANY(%s::uuid[]) AND redriven_at IS NULL
"""
_COUNT = """
    INSERT INTO messaging_deliveryattempt (consumer, event_id, attempts, last_error)
    VALUES (%s, %s, 1, %s)
    ON CONFLICT (consumer, event_id) DO UPDATE
    SET attempts = messaging_deliveryattempt.attempts + 1, last_error = EXCLUDED.last_error
    RETURNING attempts
"""
_FAIL = """
    UPDATE messaging_deliveryattempt SET last_error = %s, next_attempt_at = clock_timestamp()
        + make_interval(secs => random() * least(%s, %s * 2 ^ least(attempts, 20)))
    WHERE consumer = %s AND event_id = %s
"""
_BURY = """
    INSERT INTO messaging_deadletter AS letter
        (consumer, event_id, topic, body, headers, reason, error)
    SELECT %s, * FROM unnest(%s::uuid[], %s::text[], %s::bytea[], %s::jsonb[], %s::text[],
        %s::text[])
    ON CONFLICT (consumer, event_id) DO UPDATE
    SET reason = EXCLUDED.reason, error = EXCLUDED.error, body = EXCLUDED.body,
        deaths = letter.deaths + 1, last_at = clock_timestamp(), redriven_at = NULL
"""


def pasts(alias: str, consumer: str, event_ids: Sequence[UUID]) -> dict[UUID, Past]:
    """Of those that have one; few do."""
    ids = list(event_ids)
    rows = fetch_all(alias, _PASTS, [consumer, ids, consumer, ids], prepared=True)
    return {event_id: Past(*past) for event_id, *past in rows}


def mark(alias: str, consumer: str, event_ids: Collection[UUID]) -> None:
    """Notes that these are about to be tried together, again: whoever finds the note tries them
    one by one."""
    execute(
        alias,
        "INSERT INTO messaging_deliveryattempt (consumer, event_id)"
        " SELECT %s, event_id FROM unnest(%s::uuid[]) AS event_id ON CONFLICT DO NOTHING",
        [consumer, sorted(event_ids)],
    )


def count(alias: str, consumer: str, event_id: UUID) -> int:
    """Counts an attempt that is about to be made, and says the how many-th it is."""
    lost = "The process ended while the event was handled."
    return fetch_one(alias, _COUNT, [consumer, event_id, lost])[0]


def fail(alias: str, consumer: str, event_id: UUID, error: str) -> None:
    """Says how the attempt failed; the next is due after a while (full jitter)."""
    execute(alias, _FAIL, [error, RETRY_CAP, RETRY_BASE, consumer, event_id])


def forget(alias: str, consumer: str, event_ids: Collection[UUID]) -> None:
    """These are applied, or dead: their attempts are of no interest any more."""
    execute(
        alias,
        "DELETE FROM messaging_deliveryattempt WHERE consumer = %s AND event_id = ANY(%s::uuid[])",
        [consumer, sorted(event_ids)],
    )


def bury(alias: str, consumer: str, letters: Sequence[Letter]) -> None:
    """Puts ``letters`` among the dead ones; one that is there already says so once more."""
    if not letters:
        return
    columns = [
        [letter.event_id for letter in letters],
        [storable(letter.topic)[:LONGEST_TOPIC] for letter in letters],
        [f"\\x{letter.body.hex()}" for letter in letters],
        [_headers(letter) for letter in letters],
        [letter.reason for letter in letters],
        [storable(letter.error) for letter in letters],
    ]
    execute(alias, _BURY, [consumer, *columns])


def resurrect(alias: str, consumer: str, event_ids: Collection[UUID]) -> None:
    """These were applied after all."""
    execute(
        alias,
        "UPDATE messaging_deadletter SET redriven_at = clock_timestamp()"
        " WHERE consumer = %s AND event_id = ANY(%s::uuid[]) AND redriven_at IS NULL",
        [consumer, sorted(event_ids)],
    )


def _headers(letter: Letter) -> str:
    return orjson.dumps({storable(k): storable(v) for k, v in letter.headers.items()}).decode()
