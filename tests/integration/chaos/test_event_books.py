"""The judge of events sees what was lost, made up, buried or told wrongly."""

from uuid import uuid4

import pytest

from apps.common.databases import execute, fetch_all
from apps.messaging.consuming.delivering import deliver
from apps.messaging.groups import all_groups
from apps.messaging.relay.queue import ENVELOPE
from chaos import event_books
from tests.trade import Trade, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def events(judge, monkeypatch):
    """``chaos.event_books`` beside three orders whose events have all arrived."""
    connect = judge.connect
    names = {"customers": "default"}
    monkeypatch.setattr(judge, "connect", lambda name: connect(names.get(name, name)))
    trade = Trade()
    for card in ("tok_approve", "tok_approve", "tok_decline"):
        trade.place(card=card, MUG=1)
    drive_all()
    bodies = [
        body.encode()
        for alias in event_books.DATABASES
        for (body,) in fetch_all(alias, f"SELECT {ENVELOPE} FROM messaging_outbox ORDER BY id")
    ]
    for group in all_groups():
        deliver(group, bodies)
    for alias in event_books.DATABASES:
        execute(alias, "UPDATE messaging_outbox SET published_at = now()")
    execute("default", "UPDATE notifications_email SET state = 'sent', sent_at = now()")
    return event_books


# One after the other, and what each of them adds to what is seen.
DAMAGE = [
    (
        "reporting",
        "DELETE FROM messaging_inbox WHERE consumer = 'reporting' AND message_id ="
        " (SELECT min(message_id) FROM messaging_inbox WHERE consumer = 'reporting')",
        "1 events never reached reporting",
    ),
    (
        "default",
        "UPDATE messaging_inbox SET message_id = gen_random_uuid()"
        " WHERE consumer = 'notifications'",
        "that were never committed for it",
    ),
    (
        "reporting",
        "INSERT INTO messaging_deadletter (consumer, event_id, topic, body, headers, reason,"
        " error) VALUES ('reporting', gen_random_uuid(), 'order.placed', '', '{}', 'failed', 'e')",
        "dead letter of reporting: order.placed",
    ),
    (
        "reporting",
        "INSERT INTO eventlog_event (event_id, topic, aggregate, aggregate_version,"
        " schema_version, occurred_at, payload, headers) SELECT event_id, topic, aggregate,"
        " aggregate_version, schema_version, occurred_at, payload, headers FROM eventlog_event",
        "is 2 times in the log",
    ),
    (
        "orders",
        "UPDATE orders_order SET goods_total = goods_total + 1, total = total + 1",
        "its view",
    ),
    (
        "default",
        "UPDATE notifications_email SET state = 'failed', error = 'no'",
        "mails are failed",
    ),
]


def test_every_kind_of_damage_is_seen(events):
    assert (list(events.violations(())), events.unsettled()) == ([], "")
    for database, damage, seen in DAMAGE:
        before = list(events.violations(()))
        assert not seen or not any(seen in one for one in before), seen
        execute(database, damage)
        assert any(seen in one and one not in before for one in events.violations(())), damage


def test_what_is_under_way_is_told(events):
    execute(
        "orders", "UPDATE messaging_outbox SET published_at = NULL WHERE topic = 'order.placed'"
    )
    execute("default", "UPDATE notifications_email SET state = 'pending'")
    told = events.unsettled()
    assert "3 events wait in outboxes" in told
    assert "mails wait" in told


def test_poison_is_no_lost_event(events):
    letter = uuid4()
    execute(
        "reporting",
        "INSERT INTO messaging_deadletter (consumer, event_id, topic, body, headers, reason,"
        " error) VALUES ('reporting', %s, '', '', '{}', 'unparseable', 'e')",
        [letter],
    )
    assert list(events.violations({letter})) == []
    assert len(list(events.violations(()))) == 1
