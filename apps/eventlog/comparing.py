"""Which events a group has neither applied nor put among its dead letters."""

from collections.abc import Collection
from uuid import UUID

from apps.common.databases import fetch_all, fetch_one
from apps.eventlog.enums import DATABASE
from apps.messaging.groups import ConsumerGroup

_KNOWN = """
    SELECT message_id::uuid FROM messaging_inbox
    WHERE consumer = %s AND message_id = ANY(%s::text[])
    UNION SELECT event_id FROM messaging_deadletter
    WHERE consumer = %s AND event_id = ANY(%s::uuid[])
"""


def unknown_to(group: ConsumerGroup, event_ids: Collection[UUID]) -> set[UUID]:
    """Those of ``event_ids`` that ``group`` has neither applied nor given up."""
    if not event_ids:
        return set()
    ids = list(event_ids)
    texts = [str(one) for one in ids]
    rows = fetch_all(group.alias, _KNOWN, [group.name, texts, group.name, ids], prepared=True)
    return set(ids) - {row[0] for row in rows}


def last_before(seconds: float) -> int:
    """The position of the newest event that was logged at least ``seconds`` ago; 0 if none."""
    row = fetch_one(
        DATABASE,
        "SELECT position FROM eventlog_event"
        # The stable clock: an index cannot serve a volatile one.
        " WHERE logged_at < statement_timestamp() - make_interval(secs => %s)"
        " ORDER BY logged_at DESC, position DESC LIMIT 1",
        [seconds],
    )
    return row[0] if row else 0
