"""Compares what each group has applied with the log, and delivers what never reached it.

This heals what a broker lost: a stream that is gone, a queue that nobody bound. The group's inbox
decides as ever, so a message that was only late is a duplicate when it comes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from apps.common.databases import execute, fetch_all, fetch_one
from apps.eventlog.comparing import last_before, unknown_to
from apps.eventlog.enums import ARCHIVE, DATABASE
from apps.eventlog.selectors import Logged, events_by_id, events_since
from apps.messaging.brokers.base import Broker, BrokerDown
from apps.messaging.brokers.choose import bindings, broker
from apps.messaging.consuming.delivering import Delivery, Verdict
from apps.messaging.groups import ConsumerGroup, all_groups

log = structlog.get_logger(__name__)
SIZE = 1_000
MOST = 20_000  # events of a group that one run looks at
LOST_AFTER = 60.0  # seconds since it was logged that an event has for its way to a group
STUCK_AFTER = 120.0  # seconds past its next attempt after which nobody seems to have an event
BEHIND = 5_000  # messages before a group that is slow, not bereft: it will come to them itself


@dataclass(frozen=True, slots=True)
class _Progress:
    since: int
    verified: int


def groups_begin() -> None:
    """Every group answers from now on for what is logged; those known already do so for longer."""
    _begin([group.name for group in all_groups() if group.name != ARCHIVE])


def _begin(names: Sequence[str]) -> None:
    execute(
        DATABASE,
        """
        INSERT INTO eventlog_groupprogress ("group", since, verified)
        SELECT name, now.position, now.position FROM unnest(%s::text[]) AS name,
            (SELECT coalesce(max(position), 0) AS position FROM eventlog_event) AS now
        WHERE NOT EXISTS (SELECT FROM eventlog_groupprogress WHERE "group" = name)
        ON CONFLICT DO NOTHING
        """,
        [list(names)],
    )


def groups_reconcile() -> Counter[str]:
    """All groups; how many events were delivered, by verdict. A group that is merely behind, or
    whose broker cannot be asked, is left to its consumers."""
    groups_begin()
    counts: Counter[str] = Counter()
    carrier = broker()
    try:
        carrier.declare(bindings())
        for group in all_groups():
            if group.name != ARCHIVE and not _is_behind(carrier, group):
                counts += group_reconcile(group)
    except BrokerDown as error:
        log.warning("eventlog.not_reconciled", error=str(error))
    finally:
        carrier.close()
    return counts


def group_reconcile(group: ConsumerGroup) -> Counter[str]:
    """Delivers what ``group`` lacks of what was logged a while ago, from where the last run
    ended; how many events, by verdict."""
    counts = _deliver_stuck(group)
    verified = progress(group).verified
    horizon = last_before(LOST_AFTER)
    looked = 0
    while verified < horizon and looked < MOST:
        events = events_since(
            verified, group.topics, SIZE, until=horizon, headers=dict(group.headers)
        )
        lost = unknown_to(group, [event.event_id for event in events])
        delivery = _deliver(group, [event for event in events if event.event_id in lost], counts)
        if delivery.away:
            break
        verified = events[-1].position if len(events) == SIZE else horizon
        _advance(group, verified)
        looked += len(events)
    if counts:
        log.warning("eventlog.reconciled", group=group.name, **counts)
    return counts


def progress(group: ConsumerGroup) -> _Progress:
    row = fetch_one(
        DATABASE,
        'SELECT since, verified FROM eventlog_groupprogress WHERE "group" = %s',
        [group.name],
    )
    if row is None:
        _begin([group.name])
        return progress(group)
    return _Progress(*row)


def _deliver_stuck(group: ConsumerGroup) -> Counter[str]:
    """Events that were tried, wait for another attempt and never come again."""
    rows = fetch_all(
        group.alias,
        "SELECT event_id FROM messaging_deliveryattempt WHERE consumer = %s"
        " AND next_attempt_at < clock_timestamp() - make_interval(secs => %s)"
        " ORDER BY next_attempt_at LIMIT %s",
        [group.name, STUCK_AFTER, SIZE],
    )
    counts: Counter[str] = Counter()
    if rows:
        _deliver(group, events_by_id([event_id for (event_id,) in rows]), counts)
    return counts


def _deliver(group: ConsumerGroup, events: Sequence[Logged], counts: Counter[str]) -> Delivery:
    """Whatever is at fault may have ended a process before: each counts as repeated."""
    delivery = Delivery(group)
    if events:
        verdicts = delivery.run([event.body for event in events], range(len(events)))
        counts.update(one.value for one in verdicts if one is not Verdict.DUPLICATE)
    return delivery


def _is_behind(carrier: Broker, group: ConsumerGroup) -> bool:
    state = carrier.state(group.name)
    return state.waiting + state.pending > BEHIND


def _advance(group: ConsumerGroup, verified: int) -> None:
    execute(
        DATABASE,
        "UPDATE eventlog_groupprogress SET verified = greatest(verified, %s),"
        ' checked_at = clock_timestamp() WHERE "group" = %s',
        [verified, group.name],
    )
