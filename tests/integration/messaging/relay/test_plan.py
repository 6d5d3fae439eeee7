"""What was published long ago costs the relay nothing."""

from uuid import uuid4

import orjson
import pytest

from apps.common.databases import execute, fetch_one
from apps.messaging.relay import lease, queue

pytestmark = pytest.mark.django_db(databases=["orders"])
KEPT = 30_000


def append(count: int, *, published: bool) -> None:
    execute(
        "orders",
        "INSERT INTO messaging_outbox (event_id, topic, aggregate, aggregate_version,"
        " schema_version, payload, headers, published_at)"
        " SELECT gen_random_uuid(), 'order.placed', 'order:' || n, 1, 1, '{}', '{}',"
        " CASE WHEN %s THEN now() END FROM generate_series(1, %s) AS n",
        [published, count],
    )


def explained(limit: int = 500) -> dict:
    token = uuid4()
    execute("orders", "DELETE FROM messaging_relaylease")
    assert lease.take("orders", token, 60)
    [plan] = fetch_one(
        "orders",
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {queue.CLAIM}",
        [token, limit, 1_000_000],
    )
    return (orjson.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]


def nodes(plan: dict):
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def indexes(plan: dict) -> set[str]:
    return {one["Index Name"] for one in nodes(plan) if "Index Name" in one}


@pytest.mark.parametrize("waiting", [0, 3, 700])
def test_a_claim_reads_what_waits_and_nothing_else(waiting):
    append(KEPT, published=True)
    append(waiting, published=False)
    execute("orders", "ANALYZE messaging_outbox")
    plan = explained()
    assert "outbox_waiting" in indexes(plan)
    assert "messaging_outbox_pkey" not in indexes(plan)
    assert plan["Actual Rows"] == min(waiting, 500)
    # The index and a table page for each few rows: 30,000 kept ones lie on some 600.
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 20 + 2 * waiting


def test_statistics_of_a_great_backlog_do_not_mislead_it():
    append(KEPT, published=False)
    execute("orders", "ANALYZE messaging_outbox")
    execute("orders", "DELETE FROM messaging_outbox")
    append(KEPT, published=True)
    assert "outbox_waiting" in indexes(explained())


def test_statistics_that_know_of_nothing_that_waits_do_not_mislead_it_either():
    append(KEPT, published=True)
    execute("orders", "ANALYZE messaging_outbox")
    append(5_000, published=False)
    plan = explained()
    assert plan["Actual Rows"] == 500
    assert {"outbox_waiting", "outbox_refused"} <= indexes(plan)
    # Of the 5,000 it reads those that it takes.
    assert sum(one.get("Rows Removed by Filter", 0) for one in nodes(plan)) == 0


def test_refused_events_are_found_by_their_own_index():
    append(KEPT, published=True)
    append(2_000, published=False)
    execute(
        "orders",
        "UPDATE messaging_outbox SET attempts = 1, next_attempt_at = now() + interval '1 hour'"
        " WHERE published_at IS NULL AND aggregate < 'order:2'",
    )
    execute("orders", "ANALYZE messaging_outbox")
    plan = explained()
    assert plan["Actual Rows"] == 500
    scanned = {one.get("Relation Name") for one in nodes(plan) if one["Node Type"] == "Seq Scan"}
    assert "messaging_outbox" not in scanned
