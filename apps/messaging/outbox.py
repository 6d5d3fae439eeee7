"""The transactional outbox: an event is a row that commits with the change it tells of."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from apps.common.contracts import encode
from apps.common.databases import require_atomic, write
from apps.common.ids import new_id
from apps.messaging.contracts import EventContract

NO_HEADERS = "{}"
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
    if not events:
        return
    for event in events:
        if type(event.payload) is not event.contract.payload:
            raise TypeError(
                f"{event.contract.topic} v{event.contract.version} carries"
                f" {event.contract.payload.__name__}, not {type(event.payload).__name__}"
            )
    write(
        alias,
        """
        INSERT INTO messaging_outbox
            (event_id, topic, aggregate, aggregate_version, schema_version, payload, headers)
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::smallint[],
                             %s::jsonb[], %s::jsonb[])
        """,
        [
            [new_id() for _ in events],
            [event.contract.topic for event in events],
            [event.aggregate for event in events],
            [event.aggregate_version for event in events],
            [event.contract.version for event in events],
            [encode(event.payload).decode() for event in events],
            [_headers(event) for event in events],
        ],
    )


def _headers(event: Event) -> str:
    marks = _marks.get()
    if not event.correlation_id:
        return encode(marks).decode() if marks else NO_HEADERS
    return encode({"correlation_id": event.correlation_id} | dict(marks or {})).decode()
