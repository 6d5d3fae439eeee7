"""Jobs of the rooms below: the event log, and what is compared with it."""

from collections.abc import Callable
from datetime import timedelta

from celery.schedules import crontab
from django.conf import settings

from apps.eventlog import facade as eventlog
from apps.eventlog.facade import DATABASE
from apps.scheduling.definition import Counts, job


@job(
    name="reconcile-events",
    title="Reconcile events",
    about="Brings into the log what was published and lost, and delivers to each consumer group"
    " what never reached it.",
    schedule=timedelta(minutes=1),
    database=DATABASE,
)
def reconcile_events() -> Counts:
    put = _everywhere(eventlog.outbox_archive)
    return {"archived": put, **eventlog.groups_reconcile()}


@job(
    name="purge-events",
    title="Purge delivered events",
    about="Removes events from the outboxes once they were published a day ago and stand in the"
    " log, and old entries from the inboxes of consumer groups.",
    schedule=timedelta(minutes=10),
    database=DATABASE,
)
def purge_events() -> Counts:
    hours, days = settings.OUTBOX_KEEP_HOURS, settings.INBOX_KEEP_DAYS
    return {
        "outbox": _everywhere(lambda alias: eventlog.outbox_purge(alias, hours=hours)),
        "inbox": _everywhere(lambda alias: eventlog.inbox_purge(alias, days=days)),
    }


@job(
    name="make-event-partitions",
    title="Make partitions of the event log",
    about="Makes the log's tables for the months to come.",
    schedule=crontab(hour=2, minute=20),
    database=DATABASE,
)
def make_event_partitions() -> Counts:
    return {"partitions": eventlog.partitions_make(months=3)}


def _everywhere(work: Callable[[str], int]) -> int:
    return sum(work(alias) for alias in settings.DATABASES)
