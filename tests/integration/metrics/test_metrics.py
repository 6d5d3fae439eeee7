"""``/metrics`` tells what was asked of the shop and how far behind it is, and tells it to few."""

import threading
import time

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from apps.common.databases import execute
from apps.messaging.consuming import signs
from apps.messaging.relay import lease
from project.metrics.gauges import Gauges, all_sources
from tests.integration.messaging.events import note

pytestmark = pytest.mark.django_db(databases="__all__")


def samples(text: str) -> dict[tuple, float]:
    """(name, label values in the order of their names …) → value."""
    return {
        (one.name, *one.labels.values()): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def read(client, **extra) -> dict[tuple, float]:
    answer = client.get("/metrics", **extra)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    return samples(answer.content.decode())


def gauges(**changed) -> dict[tuple, float]:
    """What a fresh look finds, with some sources changed."""
    registry = CollectorRegistry()
    registry.register(Gauges(all_sources() | changed))
    return samples(generate_latest(registry).decode())


def test_requests_are_counted_by_route_and_status(client):
    before = read(client)
    for path in ("/api/v1/products", "/api/v1/products", "/no/such/page"):
        client.get(path)
    after = read(client)

    def grown(*key: str) -> float:
        return after.get(key, 0) - before.get(key, 0)

    assert grown("holdfast_requests_total", "GET", "api/v1/products", "200") == 2
    assert grown("holdfast_requests_total", "GET", "none", "404") == 1
    assert grown("holdfast_request_seconds_count", "GET", "api/v1/products") == 2
    assert 0 < grown("holdfast_request_seconds_sum", "GET", "api/v1/products") < 60


def test_an_unknown_method_is_not_a_series_of_its_own(client):
    client.generic("BREW", "/no/such/page")
    assert not any("BREW" in key for key in read(client))


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_what_waits_is_told_of_each_database():
    note("a")
    note("b")
    execute("orders", "UPDATE messaging_outbox SET attempts = 1 WHERE aggregate = 'test:b'")
    execute("orders", "UPDATE messaging_outbox SET created_at = now() - interval '1 hour'")
    execute(
        "catalog",
        "INSERT INTO messaging_deadletter (consumer, event_id, topic, body, headers, reason,"
        " error) VALUES ('archive', gen_random_uuid(), 't', '', '{}', 'failed', 'e')",
    )
    assert lease.take("orders", "0" * 32, 60)
    found = gauges()
    assert found["holdfast_cart_holds",] == found["holdfast_cart_hold_pieces",] == 0
    assert found["holdfast_sales_waiting",] == 0
    assert found["holdfast_outbox_waiting", "orders"] == 2
    assert found["holdfast_outbox_refused", "orders"] == 1
    assert 3600 <= found["holdfast_outbox_oldest_seconds", "orders"] < 3700
    assert found["holdfast_outbox_waiting", "customers"] == 0
    assert found["holdfast_outbox_oldest_seconds", "customers"] == 0
    assert found["holdfast_relay_lease_held", "orders"] == 1
    assert found["holdfast_relay_lease_held", "reporting"] == 0
    assert found["holdfast_dead_letters", "archive", "catalog", "failed"] == 1
    assert {key[1] for key, up in found.items() if key[0] == "holdfast_source_up" and up} == {
        *(f"messaging-{name}" for name in ("customers", "catalog", "orders", "reporting")),
        *("sagas", "mails", "read-model", "events", "consumers", "write-behind", "carts"),
        "sales",
    }


def test_groups_are_told_of_by_their_broker_and_their_signs(settings):
    settings.EVENTS_PREFIX = "test-metrics"
    signs.give("notifications", "one", idle=True, away=False, counts={"applied": 3})
    signs.give("notifications", "two", idle=True, away=False, counts={"applied": 4, "dead": 1})
    try:
        found = gauges()
    finally:
        for consumer in ("one", "two"):
            signs.end("notifications", consumer)
    assert found["holdfast_group_waiting", "notifications"] == 0
    assert found["holdfast_group_pending", "notifications"] == 0
    assert found["holdfast_group_messages", "notifications", "applied"] == 7
    assert found["holdfast_group_messages", "notifications", "dead"] == 1
    assert found["holdfast_group_sign_seconds", "notifications"] < 10


def test_a_source_that_hangs_or_fails_costs_a_second_and_hides_no_other():
    release = threading.Event()

    def hang():
        release.wait(20)
        return []

    def fail():
        raise ValueError

    began = time.monotonic()
    found = gauges(sagas=hang, events=fail)
    release.set()
    assert time.monotonic() - began < 5
    assert found["holdfast_source_up", "sagas"] == found["holdfast_source_up", "events"] == 0
    assert found["holdfast_source_up", "messaging-orders"] == 1


def test_it_is_closed_to_other_machines(client, settings):
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.7").status_code == 403
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 403
    for header in ("x-forwarded-for", "forwarded", "x-real-ip"):
        assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403
    settings.ALLOWED_HOSTS = []
    for address in ("127.0.0.1", "::1"):
        assert client.get("/metrics", REMOTE_ADDR=address).status_code == 200


def test_a_token_opens_it_to_whoever_knows_it_and_to_nobody_else(client, settings):
    settings.METRICS_TOKEN = "let me in"
    for header in ("", "Bearer", "Bearer let me out", "let me in"):
        assert client.get("/metrics", headers={"authorization": header}).status_code == 403
    right = {"authorization": "Bearer let me in", "x-forwarded-for": "10.0.0.7"}
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.9", headers=right).status_code == 200
