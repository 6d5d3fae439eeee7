"""``/livez`` touches nothing; ``/readyz`` asks every part and names the one that fails."""

import threading
import time
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.messaging.consuming import signs
from apps.messaging.groups import all_groups
from project import checks, health, heartbeat

PARTS = [
    "database-customers",
    "database-catalog",
    "database-orders",
    "database-reporting",
    "redis-durable",
    "redis-cache",
    "gateway",
    "events",
    "worker",
    "beat",
    "relay",
    "consumer",
]
PROCESSES = ("worker", "beat", "relay")


@pytest.fixture(autouse=True)
def fresh_client():
    """The heartbeat's Redis client follows a changed setting."""
    heartbeat.client.cache_clear()
    yield
    heartbeat.client.cache_clear()


@pytest.fixture
def signs_of_life():
    for part in PROCESSES:
        heartbeat.show(part)
    for group in all_groups():
        signs.give(group.name, "one", idle=True, away=False, counts={})
    yield
    for part in PROCESSES:
        heartbeat.end(part)
    for group in all_groups():
        signs.end(group.name, "one")


def look(**changed) -> dict[str, str]:
    """What a fresh look at the real parts finds, with some of them changed."""
    return health.Readiness(health.parts() | changed).look()


def test_livez_touches_nothing(client, settings):
    """No database is open to this test, no Redis or gateway answers, and the host is unknown."""
    settings.ALLOWED_HOSTS = []
    settings.SECURE_SSL_REDIRECT = True
    settings.QUEUE_REDIS_URL = settings.CACHE_URL = "unix:///nowhere?db=0"

    answer = client.get("/livez", headers={"host": "10.0.0.7"})

    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert answer.cookies == {}


@pytest.mark.django_db(databases="__all__")
def test_every_part_is_asked_and_nothing_else(gateway, signs_of_life):
    assert look() == dict.fromkeys(PARTS, "ok")


@pytest.mark.django_db(databases="__all__")
def test_readyz_says_200_only_when_all_are_ready(client, gateway, signs_of_life):
    with CaptureQueriesContext(connections["default"]) as queries:
        ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert ready["Cache-Control"] == "no-store"
    assert len(queries) == 0  # on connections of its own

    heartbeat.end("worker")
    time.sleep(health.SHARED_SECONDS)
    unready = client.get("/readyz")
    assert unready.status_code == 503
    assert [k for k, v in unready.json()["parts"].items() if v != "ok"] == ["worker"]


@pytest.mark.django_db(databases="__all__")
def test_orders_are_taken_while_events_only_gather(client, gateway, signs_of_life, settings):
    heartbeat.end("relay")
    signs.end("notifications", "one")
    settings.EVENTS_URL = "redis://127.0.0.1:9/0"
    time.sleep(health.SHARED_SECONDS)
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert {k: v for k, v in ready.json()["parts"].items() if v != "ok"} == {
        "events": "does not answer (ConnectionError)",
        "relay": "no sign of life",
        "consumer": "no sign of life of notifications",
    }


def test_a_part_that_is_down_is_named_alone(settings, signs_of_life):
    settings.GATEWAY_URL = "http://127.0.0.1:9"

    found = look()

    assert found.pop("gateway") == "does not answer (URLError)"
    assert set(found.values()) == {"ok"}


def test_what_is_wrong_is_told_without_hosts_and_paths(settings):
    settings.QUEUE_REDIS_URL = "unix:///a/secret/place.sock?db=0"

    found = look()

    assert found["redis-durable"] == "does not answer (ConnectionError)"
    assert "secret" not in str(found)


def test_a_part_that_hangs_costs_a_second_and_one_thread():
    release, asked = threading.Event(), []

    def hang() -> None:
        asked.append(1)
        release.wait(20)

    readiness = health.Readiness({"stuck": hang, "well": lambda: None})
    began = time.monotonic()
    for _ in range(2):
        assert readiness.look() == {"stuck": "no answer in time", "well": "ok"}
        readiness._until = 0
    assert time.monotonic() - began < 3
    assert asked == [1]

    release.set()
    readiness.look()
    readiness._until = 0
    assert readiness.look() == {"stuck": "ok", "well": "ok"}


def test_many_probes_share_one_look():
    asked = []
    readiness = health.Readiness({"part": lambda: asked.append(1)})
    threads = [threading.Thread(target=readiness.look) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(asked) == 1


def test_a_sign_of_life_expires(signs_of_life):
    left = heartbeat.client().ttl(heartbeat.key("worker"))

    assert 0 < left <= heartbeat.EXPIRY_SECONDS


def test_a_dead_redis_does_not_take_beat_along(settings, caplog):
    settings.QUEUE_REDIS_URL = "unix:///nowhere?db=0"

    heartbeat.show("beat")

    assert "no sign of life left by beat" in caplog.text


def test_a_queue_that_may_evict_stops_the_start(settings):
    """The cache instance plays the careless one: it evicts."""
    assert checks.check_durable_redis_keeps_everything() == []
    heartbeat.client.cache_clear()
    settings.QUEUE_REDIS_URL = evicting(django_settings.CACHE_URL)

    [error] = checks.check_durable_redis_keeps_everything()

    assert error.id == "holdfast.E002"
    assert "allkeys-lfu, not noeviction" in error.msg
    assert "allkeys-lfu" in look()["redis-durable"]


def test_streams_that_may_evict_stop_the_start(settings):
    assert checks.check_event_streams_keep_everything() == []
    settings.EVENTS_URL = evicting(django_settings.CACHE_URL)

    [error] = checks.check_event_streams_keep_everything()

    assert error.id == "holdfast.E003"
    assert "EVENTS_URL may evict" in error.msg


def evicting(url: str) -> str:
    import redis

    client = redis.Redis.from_url(url)
    policy = client.info("memory")["maxmemory_policy"]
    client.close()
    if policy == "noeviction":
        pytest.skip(f"{urlsplit(url).path} serves as cache and queue here and never evicts")
    return url
