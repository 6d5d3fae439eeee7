"""The log keeps every event as it came, once, and refuses to be changed."""

import orjson
import pytest
from django.db import DatabaseError, transaction

from apps.common.databases import execute, fetch_all, fetch_one
from apps.eventlog import selectors
from apps.eventlog.archiving import GROUP
from apps.eventlog.models import LoggedEvent
from apps.messaging.consuming.delivering import Verdict, deliver
from tests.integration.messaging.consuming.conftest import id_of, told

pytestmark = pytest.mark.django_db(databases=["reporting"])


def test_every_event_is_kept_as_it_came_and_once():
    bodies = [
        told("a", aggregate="order:17", headers={"correlation_id": "r-1"}),
        told("b", schema_version=99, payload={"customer_id": "c-1", "order_id": "o-1"}),
        told("c", aggregate="customer:c-2"),
    ]
    assert deliver(GROUP, bodies) == [Verdict.APPLIED] * 3
    assert deliver(GROUP, bodies) == [Verdict.DUPLICATE] * 3
    rows = LoggedEvent.objects.order_by("position")
    assert [
        (row.event_id, row.schema_version, row.order_id, row.customer_id, row.correlation_id)
        for row in rows
    ] == [
        (id_of(bodies[0]), 1, "17", None, "r-1"),
        (id_of(bodies[1]), 99, "o-1", "c-1", None),
        (id_of(bodies[2]), 1, None, "c-2", None),
    ]
    assert selectors.last_position() == rows[2].position
    assert selectors.archived([id_of(bodies[0]), id_of(told("d"))]) == {id_of(bodies[0])}


def test_a_rebuild_reads_the_log_in_order_by_topic_and_in_batches():
    bodies = [told("a"), told("b", topic="order.placed"), told("c", topic="order_x.placed")]
    deliver(GROUP, bodies)
    start = selectors.last_position() - 3

    def read(*topics, limit=10, since=start):
        return [one.event_id for one in selectors.events_since(since, topics, limit)]

    ids = [id_of(body) for body in bodies]
    assert read("*") == ids
    assert read("*", limit=2) == ids[:2]
    assert read("*", since=start + 2) == ids[2:]
    assert read("order.*") == [ids[1]]
    assert read("tale.told", "order_x.*") == [ids[0], ids[2]]
    assert read("tale.tol") == []


def test_what_the_log_gives_back_says_the_same_and_can_be_delivered():
    body = told("a", headers={"correlation_id": "r"}, aggregate_version=7)
    deliver(GROUP, [body])
    [logged] = selectors.events_since(0, ["tale.*"], 10)
    assert orjson.loads(logged.body) == orjson.loads(body)
    assert deliver(GROUP, [logged.body]) == [Verdict.DUPLICATE]
    assert [one.body for one in selectors.events_by_id([id_of(body)])] == [logged.body]


@pytest.mark.parametrize(
    "change", ["UPDATE eventlog_event SET topic = 'x'", "DELETE FROM eventlog_event"]
)
def test_what_is_logged_cannot_be_changed(change):
    deliver(GROUP, [told("a")])
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic("reporting"):
        execute("reporting", change)
    assert LoggedEvent.objects.count() == 1


def test_partitions_are_made_ahead_and_events_lie_in_their_months():
    deliver(GROUP, [told("a")])
    [(table,)] = fetch_all(
        "reporting", "SELECT DISTINCT tableoid::regclass::text FROM eventlog_event"
    )
    [month] = fetch_one("reporting", "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')")
    assert table == f"eventlog_event_{month}"
    assert fetch_one("reporting", "SELECT eventlog_make_partitions(5)") == (2,)
    assert fetch_one("reporting", "SELECT eventlog_make_partitions(5)") == (0,)
