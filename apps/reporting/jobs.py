"""Reporting's scheduled jobs."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.common.databases import fetch_one
from apps.common.ids import new_id
from apps.messaging.outbox import Event, append
from apps.reporting.enums import DATABASE, PROJECTION
from apps.reporting.event_contracts import HEARTBEAT, Heartbeat
from apps.scheduling.definition import Counts, job

QUIET_SECONDS = 50.0


@job(
    name="read-model-heartbeat",
    title="Heartbeat of the read model",
    about="While no event comes, sends one the way that all of them take: what arrives late, or"
    " not at all, shows that the way is blocked.",
    schedule=timedelta(minutes=1),
    database=DATABASE,
)
def send_heartbeat() -> Counts:
    return {"heartbeats": int(heartbeat_send())}


def heartbeat_send() -> bool:
    """Appends a heartbeat to the outbox unless events were applied lately; whether it did."""
    with transaction.atomic(using=DATABASE):
        row = fetch_one(
            DATABASE,
            "SELECT applied_at > clock_timestamp() - make_interval(secs => %s)"
            " FROM reporting_projection WHERE name = %s",
            [QUIET_SECONDS, PROJECTION],
        )
        if row and row[0]:
            return False
        append(DATABASE, [Event(HEARTBEAT, new_id(), 1, Heartbeat(timezone.now()))])
    return True
