"""The lane in front of an application that stands for Django: what it answers, and what not."""

import io
from collections.abc import Iterator
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.handlers.wsgi import WSGIHandler
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from apps.caching import connections
from apps.caching.fence import Fence, new_token
from apps.caching.keys import Key
from apps.caching.local import process
from apps.caching.resources import find_resource
from apps.caching.values import Form
from apps.catalog.caching.names import PRODUCT
from apps.catalog.caching.products import CachedProduct
from apps.catalog.engagement import recording
from apps.common.rest.headers import versioned_etag
from project.lane import lane, products, with_fast_lane
from project.lane.tallies import Tallies
from project.metrics import requests
from tests.processes import eventually

ROUTE = "api/v1/products/<uuid:public_id>"
DJANGO = [("Content-Type", "application/json"), ("Allow", "GET"), ("X-Frame-Options", "DENY")]


class Caller:
    """Sends requests into the lane; ``asked`` are the paths that came through to Django."""

    def __init__(self):
        self.asked: list[str] = []
        self.lane = lane.FastLane(self._django)
        self.product = str(uuid4())

    def _django(self, environ, start_response):
        self.asked.append(environ["PATH_INFO"])
        etag, status, body = '"1.0"', "200 OK", b"by Django"
        if environ.get("HTTP_IF_NONE_MATCH"):
            status, body = "304 Not Modified", b""
        own = [("ETag", etag), ("Content-Length", str(len(body))), ("X-Request-ID", "django")]
        start_response(status, [*DJANGO, *own])
        return [body]

    def get(self, path: str = "", method: str = "GET", **more: str):
        """Status, headers (by lower-case name) and body."""
        said = []
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path or f"/api/v1/products/{self.product}",
            "QUERY_STRING": "",
            "REMOTE_ADDR": "192.0.2.1",
            "HTTP_HOST": "testserver",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
        }
        body = self.lane(environ | more, lambda *words: said.append(words))
        [(status, headers)] = said
        return status, {name.lower(): value for name, value in headers}, b"".join(body)

    def by_lane(self, **more: str) -> bool:
        """Whether this request is not Django's."""
        before = len(self.asked)
        self.get(**more)
        return len(self.asked) == before


def product(product_id: str, price: str = "1.00", version: int = 1) -> CachedProduct:
    body = f'{{"id":"{product_id}","price":"{price}"}}'.encode()
    return CachedProduct(version, body, versioned_etag(version, body))


def keep(one: CachedProduct, product_id: str, **forged: bytes) -> None:
    """Puts the product into Redis as a fill does, with fields in other words."""
    form = Form(find_resource(PRODUCT))
    fields = {
        name: text for name, text in form.fields(None, "t", 0.1, b"").items() if name != "_none"
    }
    fields |= {"version": str(one.version), "json": one.json, "etag": one.etag}
    key = Key(PRODUCT, product_id)
    fields |= {"_s": new_token()} | forged
    connections.client().hset(key.value, mapping=fields)
    connections.client().expire(key.value, 60)


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    """With a product that the lane answers."""
    one = Caller()
    keep(product(one.product), one.product)
    eventually(lambda: one.by_lane(), every=0.01)
    one.get(HTTP_IF_NONE_MATCH="*")
    yield one
    process.stop()


def test_a_product_is_answered_with_djangos_headers(caller):
    status, headers, body = caller.get(HTTP_X_REQUEST_ID="mine")
    one = product(caller.product)
    assert (status, body) == ("200 OK", one.json)
    assert headers == {name.lower(): value for name, value in DJANGO} | {
        "etag": one.etag,
        "content-length": str(len(one.json)),
        "x-request-id": "mine",
    }


@pytest.mark.parametrize("known", ["{}", "W/{}", '"x", {}', "*"])
def test_who_has_it_already_is_told_so(caller, known):
    one = product(caller.product)
    before = len(caller.asked)
    status, headers, body = caller.get(HTTP_IF_NONE_MATCH=known.format(one.etag))
    assert (status, body, headers["etag"]) == ("304 Not Modified", b"", one.etag)
    assert len(caller.asked) == before


def test_who_has_another_one_gets_it(caller):
    status, _, body = caller.get(HTTP_IF_NONE_MATCH='"1.0"')
    assert (status, body) == ("200 OK", product(caller.product).json)


@pytest.mark.parametrize("offered", ["", "x" * 65, "a b", "a\r\nb"])
def test_a_request_id_that_is_none_is_replaced(caller, offered):
    found = caller.get(HTTP_X_REQUEST_ID=offered)[1]["x-request-id"]
    assert found != offered and len(found) == 32


@pytest.mark.parametrize(
    "more",
    [
        {"method": "HEAD"},
        {"method": "POST"},
        {"QUERY_STRING": "fields=id"},
        {"HTTP_AUTHORIZATION": "Bearer x"},
        {"HTTP_X_SESSION_TOKEN": ""},
        {"HTTP_COOKIE": "sessionid=x"},
        {"HTTP_ORIGIN": "https://example.com"},
        {"HTTP_RANGE": "bytes=0-1"},
        {"HTTP_IF_MATCH": "*"},
        {"HTTP_IF_MODIFIED_SINCE": "Sat, 01 Jan 2000 00:00:00 GMT"},
        {"HTTP_IF_UNMODIFIED_SINCE": "Sat, 01 Jan 2000 00:00:00 GMT"},
        {"HTTP_EXPECT": "100-continue"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"HTTP_ACCEPT": "text/html"},
        {"HTTP_ACCEPT": "application/json;q=0"},
        {"HTTP_HOST": "elsewhere.example.com"},
        {"HTTP_HOST": ""},
        {"HTTP_X_FORWARDED_HOST": "testserver"},
        {"CONTENT_LENGTH": "5"},
    ],
    ids=str,
)
def test_anything_else_is_djangos(caller, more):
    assert not caller.by_lane(**more)
    assert caller.by_lane()


@pytest.mark.parametrize("tail", ["/", "s", "/restore", "/../x"])
def test_other_addresses_are_djangos(caller, tail):
    assert not caller.by_lane(path=f"/api/v1/products/{caller.product}{tail}")
    assert not caller.by_lane(path=f"/api/v1/products/{caller.product.upper()}")


def test_a_redirect_to_https_is_djangos(caller, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert not caller.by_lane()
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert not caller.by_lane(HTTP_X_FORWARDED_PROTO="http")
    # Headers of HTTPS are learned by themselves.
    assert not caller.by_lane(HTTP_X_FORWARDED_PROTO="https")
    assert caller.by_lane(HTTP_X_FORWARDED_PROTO="https")


def test_a_change_is_djangos_once_it_is_told(caller):
    product_id = str(uuid4())
    path = f"/api/v1/products/{product_id}"
    keep(product(product_id), product_id)
    assert caller.get(path=path)[2] == product(product_id).json
    fence, token = Fence(connections.client()), new_token()
    fence.begin([Key(PRODUCT, product_id)], token)
    eventually(lambda: not caller.by_lane(path=path), seconds=1, every=0.002)
    fence.end([Key(PRODUCT, product_id)], token)
    keep(product(product_id, "2.00", 2), product_id)
    assert caller.get(path=path)[2] == product(product_id, "2.00", 2).json


FORGED = {
    "another price": {"json": b'{"id":"%s","price":"0.01"}'},
    "no JSON": {"json": b"\x80\x04."},
    "another version": {"version": b"2"},
    "no version": {"version": b"x"},
    "no ETag": {"etag": b"\xff"},
    "another form": {"_f": b"0x"},
}


@pytest.mark.parametrize("name", FORGED)
def test_what_the_catalogue_has_not_written_is_djangos(caller, name):
    product_id = str(uuid4())
    forged = {
        field: text.replace(b"%s", product_id.encode()) for field, text in FORGED[name].items()
    }
    keep(product(product_id), product_id, **forged)
    assert not caller.by_lane(path=f"/api/v1/products/{product_id}")


def test_another_products_answer_is_djangos(caller):
    product_id = str(uuid4())
    keep(product(caller.product), product_id)
    assert not caller.by_lane(path=f"/api/v1/products/{product_id}")


def test_something_else_under_its_name_is_djangos(caller):
    product_id = str(uuid4())
    connections.client().set(Key(PRODUCT, product_id).value, b"x", ex=60)
    assert not caller.by_lane(path=f"/api/v1/products/{product_id}")


def test_without_a_cache_in_the_process_it_asks_redis(caller, settings):
    settings.CACHE_POLICIES = {PRODUCT: {"local": None}}
    one = Caller()
    assert one.lane._products.local is None
    path = f"/api/v1/products/{caller.product}"
    assert not one.by_lane(path=path)  # Django's headers are not known yet
    assert one.by_lane(path=path)
    connections.client().delete(Key(PRODUCT, caller.product).value)
    assert not one.by_lane(path=path)
    keep(product(caller.product), caller.product)


@pytest.fixture
def gone(caller, monkeypatch):
    """The product's value is gone and comes back as soon as somebody waits; who waited, and how
    long."""
    key, waited = Key(PRODUCT, caller.product), []

    def fill(seconds: float) -> None:
        waited.append(seconds)
        keep(product(caller.product), caller.product)

    monkeypatch.setattr(products, "time", SimpleNamespace(sleep=fill))
    connections.client().delete(key.value)
    caller.lane._products.local.drop([key.name])
    yield key, waited
    connections.client().delete(key.lease, key.writers)
    keep(product(caller.product), caller.product)


def test_whoever_is_about_to_fill_is_awaited(caller, gone):
    key, waited = gone
    connections.client().set(key.lease, "somebody")
    assert caller.by_lane()
    assert waited == [products.PAUSES[0]]


def test_nobody_waits_where_nobody_fills(caller, gone):
    assert not caller.by_lane()
    assert gone[1] == []


def test_few_wait_for_a_writer_that_may_be_dead(caller, gone):
    key, waited = gone
    connections.client().zadd(key.writers, {"dead": 2**42})
    with products._waiting, products._waiting:
        assert not caller.by_lane()
    assert waited == []
    assert caller.by_lane()


def count(name: str, **labels: str) -> float:
    for family in text_string_to_metric_families(generate_latest(requests.REGISTRY).decode()):
        for one in family.samples:
            if one.name == name and labels.items() <= one.labels.items():
                return one.value
    return 0


def test_requests_are_counted(caller, monkeypatch):
    """Under a route of the test's own, so that nothing else is in these numbers."""
    tallies = Tallies("the test's")
    assert caller.lane._tallies._route == ROUTE
    monkeypatch.setattr(caller.lane, "_tallies", tallies)
    process.every_moment(tallies.flush)
    for _ in range(7):
        caller.get()
    caller.get(HTTP_IF_NONE_MATCH="*")

    def seen(name: str, **labels: str) -> float:
        return count(f"holdfast_{name}", method="GET", route="the test's", **labels)

    eventually(lambda: seen("request_seconds_count") >= 8, seconds=3, every=0.02)
    assert seen("request_seconds_count") == 8
    assert seen("request_seconds_bucket", le="+Inf") == 8
    assert 0 < seen("request_seconds_sum") < 1
    assert seen("requests_total", status="200") == 7
    assert seen("requests_total", status="304") == 1


def test_who_looks_is_noted(caller, monkeypatch):
    noted = []
    monkeypatch.setattr(recording.buffer, "add", noted.append)
    caller.get(HTTP_USER_AGENT="Firefox")
    [(product_id, visitor)] = noted
    assert product_id == caller.product
    assert (visitor.address, visitor.agent) == ("192.0.2.1", "Firefox")


def test_it_can_be_taken_away(settings):
    application = WSGIHandler()
    assert isinstance(with_fast_lane(application), lane.FastLane)
    settings.FAST_LANE = False
    assert with_fast_lane(application) is application
