"""What became of the events: of each group, committed = applied ∪ dead letters, nothing twice.

Read with plain SQL from the outboxes, inboxes and dead letters, and from the read model beside the
tables that it tells of.
"""

from collections.abc import Collection, Iterator
from uuid import UUID

from apps.messaging.groups import ConsumerGroup, all_groups
from chaos import books

DATABASES = {"default": "customers", "catalog": "catalog", "orders": "orders"}
DATABASES["reporting"] = "reporting"
SHOWN = 3  # examples of each kind of trouble
Committed = dict[UUID, tuple[str, dict[str, str]]]  # event → topic, headers


def waiting() -> int:
    """Events that were not published yet."""
    return sum(
        books.rows(
            database,
            "SELECT count(*) FROM messaging_outbox WHERE published_at IS NULL AND dead_at IS NULL",
        )[0][0]
        for database in DATABASES.values()
    )


def committed() -> Committed:
    """Every event there is: nothing is purged within a day."""
    return {
        event_id: (topic, headers)
        for database in DATABASES.values()
        for event_id, topic, headers in books.rows(
            database, "SELECT event_id, topic, headers FROM messaging_outbox"
        )
    }


def applied(group: ConsumerGroup) -> set[UUID]:
    rows = books.rows(
        DATABASES[group.alias],
        "SELECT message_id::uuid FROM messaging_inbox WHERE consumer = %s",
        group.name,
    )
    return {event_id for (event_id,) in rows}


def dead(group: ConsumerGroup) -> set[UUID]:
    rows = books.rows(
        DATABASES[group.alias],
        "SELECT event_id FROM messaging_deadletter WHERE consumer = %s",
        group.name,
    )
    return {event_id for (event_id,) in rows}


def lost(events: Committed) -> dict[str, set[UUID]]:
    """By group: events that it wants and has neither applied nor put among its dead letters."""
    found = {}
    for group in all_groups():
        if missing := wanted(group, events) - applied(group) - dead(group):
            found[group.name] = missing
    return found


def wanted(group: ConsumerGroup, events: Committed) -> set[UUID]:
    return {
        event_id
        for event_id, (topic, headers) in events.items()
        if group.wants(topic) and group.is_meant(headers)
    }


def unsettled() -> str:
    """What is still on its way, in words; empty at rest."""
    told = [f"{count} events wait in outboxes"] if (count := waiting()) else []
    told += [f"{len(ids)} on their way to {name}" for name, ids in lost(committed()).items()]
    [[mails]] = books.rows(
        "customers", "SELECT count(*) FROM notifications_email WHERE state IN ('pending','sending')"
    )
    return ", ".join(told + [f"{mails} mails wait"] * bool(mails))


def figures() -> dict[str, int]:
    """How many events were committed, and applied by each group."""
    return {"committed": len(committed())} | {
        group.name: len(applied(group)) for group in all_groups()
    }


def violations(poison: Collection[UUID]) -> Iterator[str]:
    """``poison``: ids of the messages that nobody committed."""
    events = committed()
    for name, ids in lost(events).items():
        yield f"{len(ids)} events never reached {name}: {_some(ids, events)}"
    for group in all_groups():
        strange = applied(group) - wanted(group, events)
        # A raw group keeps what it does not understand.
        strange -= set(poison) if group.raw else set()
        if strange:
            yield f"{group.name} applied {len(strange)} events that were never committed for it"
    yield from _dead_letters(poison)
    yield from _log()
    yield from _read_model()
    yield from _mails()


def _some(ids: Collection[UUID], events: Committed) -> str:
    return ", ".join(f"{events[one][0]} {one}" for one in sorted(ids)[:SHOWN])


def _dead_letters(poison: Collection[UUID]) -> Iterator[str]:
    for database in DATABASES.values():
        for event_id, consumer, topic, reason, error in books.rows(
            database,
            "SELECT event_id, consumer, topic, reason, error FROM messaging_deadletter"
            " WHERE redriven_at IS NULL",
        ):
            if event_id not in poison:
                yield f"dead letter of {consumer}: {topic} {event_id}, {reason}: {error[:200]}"


def _log() -> Iterator[str]:
    twice = books.rows(
        "reporting",
        "SELECT event_id, count(*) FROM eventlog_event GROUP BY event_id HAVING count(*) > 1",
    )
    for event_id, count in twice[:SHOWN]:
        yield f"event {event_id} is {count} times in the log"


def _read_model() -> Iterator[str]:
    """The write side and the read side tell the same of each order."""
    right = set(books.rows("orders", "SELECT id, status, total, returned_total FROM orders_order"))
    told = set(
        books.rows("reporting", "SELECT order_id, status, total, refunded FROM reporting_orderview")
    )
    for order_id, status, total, returned in sorted(right - told, key=str)[:SHOWN]:
        yield f"order {order_id} is {status}, {total} ({returned} back); its view says otherwise"
    if len(right - told) > SHOWN or told - right:
        yield f"{len(right - told)} of {len(right)} orders and {len(told - right)} views differ"


def _mails() -> Iterator[str]:
    failed = books.rows(
        "customers", "SELECT state, error, count(*) FROM notifications_email"
        " WHERE state NOT IN ('sent', 'skipped') GROUP BY state, error",
    )  # fmt: skip
    for state, error, count in failed:
        yield f"{count} mails are {state}: {error}"
