"""Request ids, the access line, and limits on how many requests."""

import logging
import secrets

import pytest
from django_redis import get_redis_connection
from redis.exceptions import ConnectionError as RedisDown

from apps.common.rest import throttling

PUBLIC = "/api/command"
KEY = {"Idempotency-Key": "k"}


def access_lines(caplog):
    return [r.msg for r in caplog.records if r.name == "holdfast.access"]


def test_a_sane_request_id_comes_back(api):
    assert api.get("/api/nope", headers={"X-Request-ID": "a.b-1"})["X-Request-ID"] == "a.b-1"


@pytest.mark.parametrize("offered", ["", "a b", "x" * 65, "é"])
def test_any_other_request_id_is_replaced(api, offered):
    response = api.get("/api/nope", headers={"X-Request-ID": offered})
    assert response["X-Request-ID"] != offered
    assert len(response["X-Request-ID"]) == 32


@pytest.mark.parametrize(
    "address, status, level",
    [("/api/command", 405, "info"), ("/api/failing/defect", 500, "error")],
)
def test_one_line_tells_of_a_request_and_no_secret(api, caplog, address, status, level):
    caplog.set_level(logging.INFO)
    headers = {"X-Request-ID": "r-7", "Authorization": "Bearer hush", "Cookie": "a=hush"}
    api.get(f"{address}?token=hush", headers=headers)
    [line] = access_lines(caplog)
    assert line.pop("milliseconds") >= 0
    assert line.pop("timestamp")
    route = line.pop("route")
    assert address.startswith("/" + route.partition("<")[0])
    assert line == {
        "event": "request",
        "logger": "holdfast.access",
        "level": level,
        "method": "GET",
        "path": address,
        "status": status,
        "request_id": "r-7",
    }
    assert "hush" not in caplog.text


@pytest.fixture
def limited(api, settings):
    """A client of which the shop wants three requests a minute, and its counter."""
    settings.API_REQUESTS_PER_MINUTE = {"anonymous": 3, "user": 0}
    redis = get_redis_connection("default")
    address = f"2001:db8::{secrets.token_hex(2)}"  # tests in other processes count their own
    api.defaults["REMOTE_ADDR"] = address
    yield api
    for key in redis.scan_iter(f"throttle:anonymous:{address}:*"):
        redis.delete(key)


def test_too_many_requests_are_told_when_to_come_back(limited, monkeypatch):
    now = 1_000_000 * 60 + 45.5  # within a minute of its own
    monkeypatch.setattr(throttling.time, "time", lambda: now)
    statuses = [limited.post(PUBLIC, {}, headers=KEY).status_code for _ in range(3)]
    refused = limited.post(PUBLIC, {}, headers=KEY)
    assert [*statuses, refused.status_code] == [200, 200, 200, 429]
    assert refused.json()["code"] == "throttled"
    assert refused["Retry-After"] == "15"

    now += 15
    assert limited.post(PUBLIC, {}, headers=KEY).status_code == 200


def test_a_forged_forwarding_header_is_no_way_around(limited, monkeypatch):
    monkeypatch.setattr(throttling.time, "time", lambda: 1_000_001 * 60.0)
    statuses = [
        limited.post(PUBLIC, {}, headers=KEY | {"X-Forwarded-For": f"198.51.100.{n}"}).status_code
        for n in range(4)
    ]
    assert statuses == [200, 200, 200, 429]


def test_counters_end_by_themselves(limited):
    limited.post(PUBLIC, {}, headers=KEY)
    redis = get_redis_connection("default")
    [key] = redis.scan_iter(f"throttle:anonymous:{limited.defaults['REMOTE_ADDR']}:*")
    assert 0 < redis.ttl(key) <= 120


def test_the_shop_stays_open_when_the_counter_is_away(limited, settings):
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "unix:///nowhere/redis.sock?db=0"}
    }
    with pytest.raises(RedisDown):
        get_redis_connection("default").ping()
    assert {limited.post(PUBLIC, {}, headers=KEY).status_code for _ in range(5)} == {200}
