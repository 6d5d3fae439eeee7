"""No event is lost: each that was committed is in the log, and each of the log is applied, or a
dead letter, in every group that wants it. (Applied twice it cannot be: the inbox is unique.)"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from apps.common.databases import fetch_all
from apps.eventlog.archiving import GROUP
from apps.eventlog.comparing import last_before, unknown_to
from apps.eventlog.inboxes import DAY
from apps.eventlog.reconciling import progress
from apps.eventlog.selectors import archived, events_since
from apps.messaging.groups import ConsumerGroup, all_groups

SIZE = 5_000
_COMMITTED = """
    SELECT id, event_id, topic FROM messaging_outbox
    WHERE id > %s AND dead_at IS NULL
        AND created_at < clock_timestamp() - make_interval(secs => %s)
    ORDER BY id LIMIT %s
"""


@dataclass(slots=True)
class Look:
    """How many events were looked at, and which are missing where."""

    checked: int = 0
    missing: dict[str, str] = field(default_factory=dict)


def events_look(*, late_after: float | None = None) -> Mapping[str, Look]:
    """Both checks, of events older than ``late_after`` seconds (``EVENTS_LATE_AFTER_SECONDS``).

    What looks missing is read again at the end, and counts where it still is.
    """
    seconds = settings.EVENTS_LATE_AFTER_SECONDS if late_after is None else late_after
    applied = Look()
    for group in all_groups():
        if group.name != GROUP.name:
            _group(group, seconds, applied)
    return {"events_archived": _archived(seconds), "events_applied": applied}


def _archived(seconds: float) -> Look:
    look = Look()
    for alias in settings.DATABASES:
        topics: dict[UUID, str] = {}
        for rows in _committed(alias, seconds):
            known = archived([event_id for _, event_id, _ in rows])
            topics |= {event_id: topic for _, event_id, topic in rows if event_id not in known}
            look.checked += len(rows)
        for event_id in unknown_to(GROUP, topics):
            look.missing[str(event_id)] = f"{topics[event_id]} of {alias} is not in the event log"
    return look


def _committed(alias: str, seconds: float) -> Iterator[list[tuple]]:
    last = 0
    while rows := fetch_all(alias, _COMMITTED, [last, seconds, SIZE]):
        yield rows
        last = rows[-1][0]


def _group(group: ConsumerGroup, seconds: float, look: Look) -> None:
    """Since the group was first seen, as far back as its inbox reaches for certain."""
    position = max(progress(group).since, last_before((settings.INBOX_KEEP_DAYS - 1) * DAY))
    horizon = last_before(seconds)
    suspects: dict[UUID, str] = {}
    while position < horizon:
        events = events_since(
            position, group.topics, SIZE, until=horizon, headers=dict(group.headers)
        )
        unknown = unknown_to(group, [event.event_id for event in events])
        suspects |= {one.event_id: one.topic for one in events if one.event_id in unknown}
        look.checked += len(events)
        position = events[-1].position if len(events) == SIZE else horizon
    for event_id in unknown_to(group, suspects):
        subject = f"{group.name}:{event_id}"
        look.missing[subject] = f"{suspects[event_id]} never reached {group.name}"
