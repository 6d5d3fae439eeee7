"""How far the read model is behind the shop, told three ways, since each is blind somewhere: the
number of events behind says nothing of a stopped clock, the age of the oldest nothing of how many,
and while nothing happens only a heartbeat shows that the way is open."""

from datetime import datetime

import structlog
from django.conf import settings
from django.db import Error

from apps.common.databases import fetch_one
from apps.messaging.brokers import choose
from apps.messaging.brokers.base import BrokerDown
from apps.messaging.groups import find_group
from apps.reporting.contracts import Lag
from apps.reporting.enums import DATABASE, GROUP, PROJECTION

log = structlog.get_logger(__name__)


def lag() -> Lag:
    """As of now. A broker or an outbox that does not answer makes the figures None; raises where
    the read model's own database does not answer."""
    applied, since_last, applied_at, heartbeat = _projection()
    outboxes, broker = _in_outboxes(), _in_broker()
    behind = oldest = None
    if outboxes is not None and broker is not None:
        waiting, oldest = outboxes
        behind = waiting + broker
        if broker:
            # What the broker holds is no older than the newest event before it.
            oldest = max(oldest, since_last) if since_last is not None else None
    return Lag(behind, oldest, heartbeat, applied, applied_at)


def _projection() -> tuple[int, float | None, datetime | None, float | None]:
    """Events applied, seconds since the newest of them happened, when the last was applied, and
    seconds since the last heartbeat that arrived was sent."""
    row = fetch_one(
        DATABASE,
        """
        SELECT applied, extract(epoch FROM clock_timestamp() - last_event_at)::float8, applied_at,
            extract(epoch FROM clock_timestamp() - heartbeat_at)::float8
        FROM reporting_projection WHERE name = %s
        """,
        [PROJECTION],
    )
    return row or (0, None, None, None)


def _in_outboxes() -> tuple[int, float] | None:
    """How many of the group's events wait in outboxes, and how old the oldest is in seconds."""
    topics = find_group(GROUP).topics
    patterns = [f"{topic[:-1]}%" if topic.endswith(".*") else topic for topic in topics]
    waiting, oldest = 0, 0.0
    for alias in settings.DATABASES:
        try:
            count, age = fetch_one(
                alias,
                """
                SELECT count(*),
                    coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
                FROM messaging_outbox
                WHERE published_at IS NULL AND dead_at IS NULL AND topic LIKE ANY(%s::text[])
                """,
                [patterns],
            )
        except Error as error:
            log.warning("reporting.lag.outbox_silent", database=alias, error=str(error))
            return None
        waiting, oldest = waiting + count, max(oldest, age)
    return waiting, oldest


def _in_broker() -> int | None:
    """How many the broker holds for the group."""
    broker = choose.broker()
    try:
        state = broker.state(GROUP)
    except BrokerDown as error:
        log.warning("reporting.lag.broker_silent", error=str(error))
        return None
    finally:
        broker.close()
    return state.waiting + state.pending
