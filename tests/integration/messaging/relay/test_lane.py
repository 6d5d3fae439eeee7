"""Events leave an outbox in order, whatever ails the broker."""

import threading
from datetime import datetime

import orjson
import pytest
from django.db import connections, transaction

from apps.common.contracts import decoder
from apps.common.databases import execute, fetch_one
from apps.messaging.brokers.base import BrokerDown
from apps.messaging.contracts import Envelope
from apps.messaging.models import DeadLetter, Outbox
from apps.messaging.relay import queue
from apps.messaging.relay.lane import Lane
from tests.integration.messaging.events import note, outbox

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])


def let_waits_end() -> None:
    execute("orders", "UPDATE messaging_outbox SET next_attempt_at = clock_timestamp()")


def test_events_are_published_in_order_and_only_once(lane, broker):
    for version in (1, 2, 3):
        note("a", version)
    note("b")
    assert (lane.step(), lane.step()) == (4, 0)
    assert broker.got == ["a 1", "a 2", "a 3", "b 1"]
    assert set(outbox().values()) == {(0, True, False)}


def test_a_body_is_the_envelope_that_consumers_read(lane, broker):
    note("a", 7, 'quote " and ü')
    lane.step()
    read = decoder(Envelope).decode(orjson.dumps(broker.bodies[0]))
    row = Outbox.objects.using("orders").get()
    assert (read.event_id, read.topic, read.aggregate) == (row.event_id, "test.noted", "test:a")
    assert (read.aggregate_version, read.schema_version) == (7, 1)
    assert (read.occurred_at, type(read.occurred_at)) == (row.created_at, datetime)
    assert orjson.loads(bytes(read.payload)) == {"text": 'quote " and ü'}
    assert read.headers == {"correlation_id": "request-1"}


def test_a_batch_is_no_larger_than_the_setting(lane, broker, settings):
    settings.EVENT_RELAY_BATCH = 2
    for version in (1, 2, 3):
        note("a", version)
    assert (lane.step(), lane.step(), lane.step()) == (2, 1, 0)


def test_an_event_that_is_refused_holds_back_its_own_aggregate_only(lane, broker):
    broker.refuse = lambda message: "no" if message.aggregate == "test:a" else None
    note("a", 1)
    note("b", 1)
    lane.step()
    note("a", 2)
    note("b", 2)
    lane.step()
    assert broker.got == ["b 1", "b 2"]
    assert (outbox()["a 1"], outbox()["a 2"]) == ((1, False, False), (0, False, False))
    broker.refuse = lambda message: None
    let_waits_end()
    assert (lane.step(), lane.step(), lane.step()) == (1, 1, 0)
    assert broker.got == ["b 1", "b 2", "a 1", "a 2"]


def test_a_refused_event_waits_longer_each_time(lane, broker, monkeypatch):
    broker.refuse = lambda message: "no"
    note("a")
    monkeypatch.setattr(queue, "BACKOFF_BASE", 1_000_000.0)
    monkeypatch.setattr(queue, "BACKOFF_CAP", 3_000_000.0)
    waits = []
    for _ in range(8):
        let_waits_end()
        lane.step()
        waits.append(
            fetch_one(
                "orders",
                "SELECT extract(epoch FROM next_attempt_at - clock_timestamp()) FROM"
                " messaging_outbox",
            )[0]
        )
        assert lane.step() == 0
    assert waits[0] <= 1_000_000 and waits[1] <= 2_000_000 and max(waits) <= 3_000_000
    assert len({round(wait) for wait in waits}) == 8  # jitter


def test_after_so_many_attempts_it_is_a_dead_letter_and_its_aggregate_goes_on(
    lane, broker, settings
):
    settings.EVENT_PUBLISH_ATTEMPTS = 3
    broker.refuse = lambda message: "not\x00mine" if b'"bad"' in message.body else None
    note("a", 1, "bad")
    for attempt in (1, 2, 3):
        let_waits_end()
        lane.step()
        assert outbox()["a 1"] == (attempt, False, attempt == 3)
        if attempt == 1:
            note("a", 2)
    lane.step()
    assert broker.got == ["a 2"]
    [letter] = DeadLetter.objects.using("orders")
    event = Outbox.objects.using("orders").get(aggregate_version=1)
    assert (letter.consumer, letter.event_id, letter.topic) == (
        "relay",
        event.event_id,
        "test.noted",
    )
    assert (letter.reason, letter.error) == ("refused_by_broker", "not\ufffdmine")
    body = orjson.loads(bytes(letter.body))
    assert (body["payload"], body["event_id"]) == ({"text": "bad"}, str(event.event_id))
    assert letter.headers == {"correlation_id": "request-1"}


def test_what_is_too_large_is_a_dead_letter_at_once(lane, broker, settings):
    settings.EVENT_MAX_BYTES = 1_000
    note("a", 1, "x" * 5_000)
    note("a", 2)
    lane.step()
    assert broker.got == ["a 2"]
    [letter] = DeadLetter.objects.using("orders")
    assert (letter.consumer, letter.reason) == ("relay", "too_large")
    assert "more than EVENT_MAX_BYTES (1,000)" in letter.error


def test_a_dead_event_that_is_revived_is_published(lane, broker, settings):
    settings.EVENT_MAX_BYTES = 1_000
    note("a", 1, "x" * 5_000)
    lane.step()
    settings.EVENT_MAX_BYTES = 10_000
    event_id = Outbox.objects.using("orders").get().event_id
    assert queue.revive("orders", [event_id]) == 1
    assert queue.revive("orders", [event_id]) == 0
    lane.step()
    assert (broker.ids, outbox()["a 1"]) == ([event_id], (0, True, False))


def test_a_broker_that_is_down_costs_no_attempt_and_gets_everything_once_it_is_back(lane, broker):
    broker.down = True
    note("a")
    with pytest.raises(BrokerDown):
        lane.step()
    assert outbox() == {"a 1": (0, False, False)}
    broker.down = False
    note("a", 2)
    lane.step()
    assert broker.got == ["a 1", "a 2"]


def test_a_lane_outlives_its_broker_and_its_connection(broker, monkeypatch):
    stop = threading.Event()
    lane = Lane("orders", broker, stop)
    broker.down = True
    waited = threading.Event()
    troubled = lane._troubled

    def soon(error):
        troubled(error)
        waited.set()
        return 0.001

    monkeypatch.setattr(lane, "_troubled", soon)
    thread = threading.Thread(target=lane.run)
    thread.start()
    try:
        note("a")
        assert waited.wait(10)
        cut_off_others()
        broker.down = False
        arrived = threading.Event()
        monkeypatch.setattr(broker, "refuse", lambda message: arrived.set())
        assert arrived.wait(10)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert broker.got == ["a 1"]


def cut_off_others() -> None:
    execute(
        "orders",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def test_events_of_an_open_transaction_are_found_when_it_commits(lane, broker):
    """An id cursor, which this is not, would have passed it by."""
    begun, go_on = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic(using="orders"):
            execute(
                "orders",
                "INSERT INTO messaging_outbox (event_id, topic, aggregate, aggregate_version,"
                " schema_version, payload, headers) VALUES (gen_random_uuid(), 'test.noted',"
                " 'test:late', 1, 1, '{}', '{}')",
            )
            begun.set()
            assert go_on.wait(10)
        connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    assert begun.wait(10)
    note("early")
    lane.step()
    go_on.set()
    thread.join()
    lane.step()
    assert broker.got == ["early 1", "late 1"]
