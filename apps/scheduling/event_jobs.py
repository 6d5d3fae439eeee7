"""Jobs of the rooms below: the event log, and what is compared with it."""

from collections.abc import Callable
from datetime import timedelta

from celery.schedules import crontab
from django.conf import settings

from apps.eventlog import inboxes, outboxes, partitions, reconciling
from apps.eventlog.enums import DATABASE
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
    put = _everywhere(outboxes.outbox_archive)
    return {"archived": put, **reconciling.groups_reconcile()}


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
        "outbox": _everywhere(lambda alias: outboxes.outbox_purge(alias, hours=hours)),
        "inbox": _everywhere(lambda alias: inboxes.inbox_purge(alias, days=days)),
    }


@job(
    name="make-event-partitions",
    title="Make partitions of the event log",
    about="Makes the log's tables for the months to come.",
    schedule=crontab(hour=2, minute=20),
    database=DATABASE,
)
def make_event_partitions() -> Counts:
    return {"partitions": partitions.partitions_make(months=3)}


def _everywhere(work: Callable[[str], int]) -> int:
    return sum(work(alias) for alias in settings.DATABASES)
