"""Appends events to the log: what the consumer group ``archive`` does."""

from collections.abc import Sequence

from apps.common.contracts import encode
from apps.common.databases import execute, fetch_one
from apps.eventlog.enums import ARCHIVE, DATABASE
from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup

# Held to the end of the transaction: who draws the next positions has seen these committed, so a
# reader that has read up to a position never misses a lower one.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('eventlog.append', 0))"
_APPEND = """
    INSERT INTO eventlog_event (event_id, topic, aggregate, aggregate_version, schema_version,
        occurred_at, payload, headers, order_id, customer_id, correlation_id)
    SELECT event_id, topic, aggregate, aggregate_version, schema_version,
        occurred_at, payload, headers,
        coalesce(payload ->> 'order_id',
            CASE WHEN aggregate LIKE 'order:%%' THEN substr(aggregate, 7) END),
        coalesce(payload ->> 'customer_id',
            CASE WHEN aggregate LIKE 'customer:%%' THEN substr(aggregate, 10) END),
        nullif(headers ->> 'correlation_id', '')
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::smallint[],
        %s::timestamptz[], %s::jsonb[], %s::jsonb[]) WITH ORDINALITY AS event
        (event_id, topic, aggregate, aggregate_version, schema_version,
            occurred_at, payload, headers, number)
    ORDER BY number
"""


def append(events: Sequence[Received]) -> None:
    """Appends ``events`` in their order, inside the caller's transaction, which should end then:
    nobody else appends until it does."""
    columns = [
        [event.event_id for event in events],
        [event.topic for event in events],
        [event.aggregate for event in events],
        [event.aggregate_version for event in events],
        [event.schema_version for event in events],
        [event.occurred_at.isoformat() for event in events],
        [bytes(event.payload).decode() for event in events],
        [encode(event.headers).decode() for event in events],
    ]
    fetch_one(DATABASE, _LOCK, prepared=True)
    execute(DATABASE, _APPEND, columns, prepared=True)


GROUP = ConsumerGroup(name=ARCHIVE, alias=DATABASE, topics=("*",), handle=append, raw=True)
