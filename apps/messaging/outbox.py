"""The transactional outbox: an event is a row that commits with the change it tells of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from apps.common.databases import require_atomic, write
from apps.common.ids import new_id


@dataclass(frozen=True)
class Event:
    """A fact about one aggregate.

    ``aggregate_version`` is the aggregate's own: it grows with each of its events, but not by one
    where it also counts changes that are not told. ``payload`` is JSON.
    """

    topic: str
    aggregate: str
    aggregate_version: int
    payload: dict[str, Any]
    schema_version: int = 1
    headers: dict[str, str] = field(default_factory=dict)


def append(alias: str, events: Sequence[Event]) -> None:
    """Appends ``events`` to the outbox of ``alias`` inside its open transaction.

    Raises ``TransactionManagementError`` outside one: the event would not commit with its cause.
    """
    require_atomic(alias)
    if not events:
        return
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
            [event.topic for event in events],
            [event.aggregate for event in events],
            [event.aggregate_version for event in events],
            [event.schema_version for event in events],
            [orjson.dumps(event.payload).decode() for event in events],
            [orjson.dumps(event.headers).decode() for event in events],
        ],
    )
