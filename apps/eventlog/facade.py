"""What other rooms may ask of the event log."""

from apps.eventlog.audit import Look, events_look
from apps.eventlog.enums import DATABASE
from apps.eventlog.inboxes import inbox_purge
from apps.eventlog.outboxes import outbox_archive, outbox_purge
from apps.eventlog.partitions import partitions_make
from apps.eventlog.reconciling import group_reconcile, groups_begin, groups_reconcile
from apps.eventlog.selectors import Logged, archived, events_by_id, events_since, last_position

__all__ = [
    "DATABASE",
    "Logged",
    "Look",
    "archived",
    "events_by_id",
    "events_look",
    "events_since",
    "group_reconcile",
    "groups_begin",
    "groups_reconcile",
    "inbox_purge",
    "last_position",
    "outbox_archive",
    "outbox_purge",
    "partitions_make",
]
