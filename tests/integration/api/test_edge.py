"""What every answer carries, and what is refused before anybody reads it."""

import pytest
import urllib3
from django.core.cache import cache

APP = "https://app.example"
PRODUCTS = "/api/v1/products"


@pytest.fixture
def an_app(settings):
    """An app in a browser that comes from an origin of its own."""
    settings.CORS_ALLOWED_ORIGINS = [APP]


def preflight(client, origin=APP):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "idempotency-key,x-session-token"
    return client.options("/api/v1/orders", headers=asked)


@pytest.mark.django_db(databases="__all__")
def test_no_origin_is_allowed_unless_named(client):
    assert "Access-Control-Allow-Origin" not in preflight(client)
    assert "Access-Control-Allow-Origin" not in client.get(PRODUCTS, headers={"Origin": APP})


@pytest.mark.django_db(databases="__all__")
def test_a_named_origin_may_call_and_read_our_headers(client, an_app):
    allowed = preflight(client)
    assert allowed.status_code == 200
    assert allowed["Access-Control-Allow-Origin"] == APP
    assert {"idempotency-key", "if-match", "x-session-token"} <= set(
        allowed["Access-Control-Allow-Headers"].split(", ")
    )
    answer = client.get(PRODUCTS, headers={"Origin": APP})
    assert answer["Access-Control-Allow-Origin"] == APP
    exposed = "X-Request-ID, ETag, Location, Retry-After"
    assert answer["Access-Control-Expose-Headers"] == exposed
    assert "Access-Control-Allow-Credentials" not in answer
    assert "origin" in answer["Vary"].lower()


def test_another_origin_and_another_place_stay_closed(client, an_app):
    other = preflight(client, "https://elsewhere.example")
    assert "Access-Control-Allow-Origin" not in other
    login = client.get("/admin/login/", headers={"Origin": APP})
    assert "Access-Control-Allow-Origin" not in login


def test_refusals_are_readable_for_a_named_origin(client, an_app, settings):
    body = b" " * (settings.API_MAX_BODY_BYTES + 1)
    refused = client.post(
        "/api/v1/orders", body, content_type="application/json", headers={"Origin": APP}
    )
    assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (413, APP)


@pytest.mark.parametrize("address", ["/admin/login/", "/api/docs", "/api/v1/nothing", "/nowhere"])
def test_every_answer_has_its_policies(client, address):
    answer = client.get(address)
    assert "default-src '" in answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"


def test_an_upload_beyond_the_limit_is_refused_unread(client, settings):
    settings.PAGE_MAX_BODY_BYTES = 1_000
    refused = client.post("/admin/login/", {"file": "x" * 1_001})
    assert refused.status_code == 413
    assert client.post("/admin/login/", {"file": "x"}).status_code != 413


def test_a_length_that_is_no_number_is_refused(client):
    refused = client.generic("POST", "/admin/login/", b"", CONTENT_LENGTH="ten")
    assert refused.status_code == 400


@pytest.mark.django_db(databases="__all__")
@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("*/*", 200),
        ("application/*;q=0.5", 200),
        ("text/html, application/json;q=0.1", 200),
        ("text/html", 406),
    ],
)
def test_json_is_what_there_is(client, accept, status):
    answer = client.get(PRODUCTS, headers={"Accept": accept})
    assert answer.status_code == status
    assert answer["Content-Type"] in ("application/json", "application/problem+json")


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_running_server_says_when_to_come_back(shop):
    cache.clear()  # what was counted in this minute by others
    shop.web(API_ANONYMOUS_REQUESTS_PER_MINUTE="3")
    statuses, retry = [], ""
    for _ in range(8):  # a new minute may begin in between, once
        answer = urllib3.request("GET", shop.url + PRODUCTS, retries=False)
        statuses.append(answer.status)
        if answer.status == 429:
            retry = answer.headers["Retry-After"]
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["code"] == "throttled"
    assert statuses[:3] == [200] * 3
    assert 429 in statuses
    assert 1 <= int(retry) <= 60


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_running_server_answers_head_and_options(shop):
    shop.web()
    head = urllib3.request("HEAD", shop.url + PRODUCTS)
    get = urllib3.request("GET", shop.url + PRODUCTS)
    assert (head.status, head.data) == (200, b"")
    assert head.headers["ETag"] == get.headers["ETag"]
    options = urllib3.request("OPTIONS", shop.url + PRODUCTS)
    assert options.status == 200
    assert {"GET", "HEAD", "OPTIONS"} <= set(options.headers["Allow"].split(", "))
