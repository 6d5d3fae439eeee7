"""The transactional outbox: an event is a row that commits with the change it tells of."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from apps.common.contracts import encode
from apps.common.databases import fetch_all, require_atomic, write
from apps.common.ids import new_id
from apps.messaging.contracts import EventContract

NO_HEADERS: Mapping[str, str] = {}
_marks: ContextVar[Mapping[str, str] | None] = ContextVar("marks", default=None)


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about one aggregate.

    ``aggregate_version`` is the aggregate's own: it grows with each of its events, but not by one
    where it also counts changes that are not told. ``payload`` is an instance of the contract's
    dataclass. ``correlation_id`` is the id of the request that caused it.
    """

    contract: EventContract
    aggregate_id: Any
    aggregate_version: int
    payload: Any
    correlation_id: str = ""

    @property
    def aggregate(self) -> str:
        return f"{self.contract.aggregate_kind}:{self.aggregate_id}"


@contextmanager
def marked(**headers: str) -> Iterator[None]:
    """Every event that is appended in the block carries ``headers``: they say on whose behalf
    something happened, which whoever makes it happen need not know."""
    token = _marks.set((_marks.get() or {}) | headers)
    try:
        yield
    finally:
        _marks.reset(token)


def append(alias: str, events: Sequence[Event]) -> None:
    """Appends ``events`` to the outbox of ``alias`` inside its open transaction.

    Raises ``TransactionManagementError`` outside one: the event would not commit with its cause;
    ``TypeError`` where a payload is not what the contract says.
    """
    require_atomic(alias)
    if events:
        rows = [(event.aggregate_version, *_row(event)) for event in events]
        write(alias, _APPEND, [encode(rows).decode()], prepared=True)


def append_with(
    alias: str, sql: str, params: Sequence[Any], events: Mapping[str, Event]
) -> list[str | None]:
    """Runs ``sql`` and appends the events of what it did, all in one statement.

    ``sql``, constant text with typed parameters, is an INSERT or UPDATE that returns a key (text)
    and a version (bigint) of each row: the event of that key is appended at that version, in the
    order of the versions, whatever its own says. Returns the keys of all rows.
    """
    require_atomic(alias)
    if not events:
        rows = fetch_all(alias, _keys_of(sql), params, prepared=True)
    else:
        told = encode({key: _row(event) for key, event in events.items()}).decode()
        rows = fetch_all(alias, _with_events(sql), [*params, told], prepared=True)
    return [key for (key,) in rows]


# The events come as one JSON value: making it takes the least time here, and reading it there.
_COLUMNS = "event_id, topic, aggregate, aggregate_version, schema_version, payload, headers"
_APPEND = f"""
    INSERT INTO messaging_outbox ({_COLUMNS})
    SELECT (one ->> 1)::uuid, one ->> 2, one ->> 3, (one ->> 0)::bigint, (one ->> 4)::smallint,
           one -> 5, one -> 6
    FROM jsonb_array_elements(%s::jsonb) AS one
"""


@lru_cache(maxsize=64)
def _with_events(sql: str) -> str:
    return f"""
        WITH done(key, version) AS ({sql}), told AS (
            INSERT INTO messaging_outbox ({_COLUMNS})
            SELECT (one ->> 0)::uuid, one ->> 1, one ->> 2, version, (one ->> 3)::smallint,
                   one -> 4, one -> 5
            FROM (SELECT version, events -> key AS one
                  FROM done, (SELECT %s::jsonb AS events OFFSET 0) AS new
                  ORDER BY version OFFSET 0) AS told
            WHERE one IS NOT NULL
        ) SELECT key FROM done
    """


@lru_cache(maxsize=64)
def _keys_of(sql: str) -> str:
    return f"WITH done(key, version) AS ({sql}) SELECT key FROM done"


def _row(event: Event) -> tuple:
    contract = event.contract
    if type(event.payload) is not contract.payload:
        raise TypeError(
            f"{contract.topic} v{contract.version} carries"
            f" {contract.payload.__name__}, not {type(event.payload).__name__}"
        )
    headers = _headers(event.correlation_id)
    return new_id(), contract.topic, event.aggregate, contract.version, event.payload, headers


def _headers(correlation_id: str) -> Mapping[str, str]:
    marks = _marks.get() or NO_HEADERS
    return {"correlation_id": correlation_id, **marks} if correlation_id else marks
