"""The inbox: a participant's effect and the note that it happened commit together.

Use inside the participant's own transaction, first ``admit`` then the effects of the admitted,
then ``settle`` with their outcomes. A repeat of a message finds the outcome of the first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from apps.common.databases import execute, fetch_all, require_atomic
from apps.common.errors import Conflict

_ENTER = """
    INSERT INTO messaging_inbox (consumer, message_id, request_hash, outcome)
    SELECT %s, event_id::text, '', 'null'::jsonb FROM unnest(%s::uuid[]) AS event_id
    ON CONFLICT DO NOTHING RETURNING message_id
"""


@dataclass(frozen=True)
class Admission:
    """Which messages are new here, and the stored outcomes of those that are not."""

    new: frozenset[str]
    outcomes: Mapping[str, Any]


def admit(
    alias: str, consumer: str, messages: Mapping[str, str], *, presumed: Any = None
) -> Admission:
    """Admits ``messages`` (message id → request hash), each at most once.

    What has the ``presumed`` outcome in the end need not be written again by ``settle``.
    Keys are inserted in sorted order, so two overlapping batches cannot deadlock; a key being
    applied elsewhere is waited for. Raises ``Conflict`` (``key_reused``) where a known id comes
    with another request.
    """
    require_atomic(alias)
    ids = sorted(messages)
    new = {
        row[0]
        for row in fetch_all(
            alias,
            """
            INSERT INTO messaging_inbox (consumer, message_id, request_hash, outcome)
            SELECT %s, message_id, request_hash, %s::jsonb
            FROM unnest(%s::text[], %s::text[]) AS new(message_id, request_hash)
            ON CONFLICT DO NOTHING RETURNING message_id
            """,
            [consumer, _json(presumed), ids, [messages[one] for one in ids]],
        )
    }
    seen = [one for one in ids if one not in new]
    outcomes = {}
    if seen:
        for message_id, known_hash, outcome in fetch_all(
            alias,
            "SELECT message_id, request_hash, outcome::text FROM messaging_inbox"
            " WHERE consumer = %s AND message_id = ANY(%s)",
            [consumer, seen],
        ):
            # A fence (see ``fence``) carries no request: it answers any.
            if known_hash and known_hash != messages[message_id]:
                raise Conflict(
                    f"{consumer}: {message_id} was used for another request", code="key_reused"
                )
            outcomes[message_id] = orjson.loads(outcome)
    return Admission(frozenset(new), outcomes)


def settle(alias: str, consumer: str, outcomes: Mapping[str, Any], *, presumed: Any = None) -> None:
    """Stores the final ``outcomes`` (message id → JSON value) of messages admitted just now, as
    far as they are not what was ``presumed`` of them."""
    require_atomic(alias)
    outcomes = {key: one for key, one in outcomes.items() if presumed is None or one != presumed}
    if outcomes:
        execute(
            alias,
            """
            UPDATE messaging_inbox SET outcome = done.outcome
            FROM unnest(%s::text[], %s::jsonb[]) AS done(message_id, outcome)
            WHERE consumer = %s AND messaging_inbox.message_id = done.message_id
            """,
            [list(outcomes), [orjson.dumps(one).decode() for one in outcomes.values()], consumer],
        )


def fence(alias: str, consumer: str, message_ids: Sequence[str], outcome: Any) -> frozenset[str]:
    """Answers ``message_ids`` in advance with ``outcome`` where they have not been applied.

    A compensation that finds nothing to undo fences the forward message, so that it does nothing
    when it arrives late. Returns the ids fenced now; the others had been applied.
    """
    require_atomic(alias)
    return frozenset(
        row[0]
        for row in fetch_all(
            alias,
            """
            INSERT INTO messaging_inbox (consumer, message_id, request_hash, outcome)
            SELECT %s, message_id, '', %s::jsonb FROM unnest(%s::text[]) AS message_id
            ON CONFLICT DO NOTHING RETURNING message_id
            """,
            [consumer, orjson.dumps(outcome).decode(), sorted(message_ids)],
        )
    )


def enter(alias: str, consumer: str, event_ids: Sequence[UUID]) -> set[UUID]:
    """Enters events that ``consumer`` is about to apply; returns those it has not applied before.

    As ``admit``, for messages without an answer.
    """
    require_atomic(alias)
    rows = fetch_all(alias, _ENTER, [consumer, sorted(event_ids)], prepared=True)
    return {UUID(row[0]) for row in rows}


def gather(
    alias: str, consumer: str, facts: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Adds to what ``consumer`` has heard of each key; returns all it has heard of each by now.

    For whoever can act only once several messages are there, in whichever order they come: what
    is heard adds up to the same, and the keys stay locked to the end of the caller's transaction,
    so that what is decided from it is decided once. A fact that is None is forgotten.
    """
    require_atomic(alias)
    keys = sorted(facts)
    rows = fetch_all(
        alias,
        """
        INSERT INTO messaging_inbox AS known (consumer, message_id, request_hash, outcome)
        SELECT %s, message_id, '', facts FROM unnest(%s::text[], %s::jsonb[])
            AS heard(message_id, facts)
        ON CONFLICT (consumer, message_id)
            DO UPDATE SET outcome = jsonb_strip_nulls(known.outcome || excluded.outcome)
        RETURNING message_id, outcome::text
        """,
        [consumer, keys, [orjson.dumps(facts[key]).decode() for key in keys]],
    )
    return {key: orjson.loads(outcome) for key, outcome in rows}


def leave(alias: str, consumer: str, event_ids: Collection[UUID]) -> None:
    """Takes back what ``enter`` entered in this transaction."""
    require_atomic(alias)
    execute(
        alias,
        "DELETE FROM messaging_inbox WHERE consumer = %s AND message_id = ANY(%s::text[])",
        [consumer, [str(one) for one in event_ids]],
    )


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
