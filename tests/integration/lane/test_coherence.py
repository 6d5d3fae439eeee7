"""Two web processes of granian's, each with a lane: what both show, and how soon."""

import http.client
import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from uuid import uuid4

import psutil
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission
from moneyed import Money

from apps.catalog import services
from apps.catalog.models import Product
from tests.cable import Cable, connector, through
from tests.integration.api.attack import new_session
from tests.integration.catalog.people import person
from tests.integration.catalog.shop import product
from tests.processes import Shop, eventually

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
BOUND = 1.0
LATELY, POLICY = ("date", "x-request-id"), "content-security-policy"


class Web:
    """The running shop and a connection to each of its processes."""

    def __init__(self, shop: Shop, cable: Cable):
        self.shop, self.cable = shop, cable
        self.connections: dict[int, http.client.HTTPConnection] = {}
        self.process = shop.start(
            "web",
            *("-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1"),
            *("--port", str(shop.port), "--workers", "2", "--blocking-threads", "4"),
            "project.wsgi:application",
            DATABASE_POOL_MAX_SIZE="4",
            LOG_LEVEL="INFO",
            STAFF_MFA_REQUIRED="0",
            CACHE_URL=through(cable, django_settings.CACHE_URL),
        )
        eventually(self._reached_both, every=0.1)

    def _reached_both(self) -> bool:
        assert self.process.popen.poll() is None, self.process.output()
        one = http.client.HTTPConnection("127.0.0.1", self.shop.port, timeout=20)
        try:
            one.request("GET", "/livez")
            one.getresponse().read()
        except OSError:
            return False
        self.connections.setdefault(self._server_of(one), one)
        return len(self.connections) == 2

    def _server_of(self, one: http.client.HTTPConnection) -> int:
        port = one.sock.getsockname()[1]
        for child in psutil.Process(self.process.popen.pid).children(recursive=True):
            if any(c.raddr and c.raddr.port == port for c in child.net_connections("tcp")):
                return child.pid
        raise AssertionError("nobody has the other end")

    def send(self, server: int, path: str, method: str = "GET", body=None, **headers: str):
        """Status, headers (by lower-case name) and body, by that process."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        one = self.connections[server]
        one.request(method, path, body=body, headers={"Accept": "*/*"} | names)
        answer = one.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read()

    def by_lane(self, server: int, path: str, **headers: str) -> bool:
        """Whether Django has not seen this request: it logs each."""
        mark = uuid4().hex
        self.send(server, path, X_Request_ID=mark, **headers)
        self.send(server, "/api/v1/none", X_Request_ID=f"{mark}-end")
        eventually(lambda: f"{mark}-end" in self.process.output())
        return f"request_id={mark} " not in self.process.output()

    def price(self, server: int, path: str) -> str:
        status, _, body = self.send(server, path)
        assert status == 200
        return json.loads(body)["price"]["amount"]

    def both_by_lane(self, path: str) -> None:
        for server in self.connections:
            eventually(lambda server=server: self.by_lane(server, path), seconds=10)


@pytest.fixture(scope="module")
def _running(tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[Web]:
    """Started once: the databases keep their names from test to test."""
    cable = Cable(connector(django_settings.CACHE_URL))
    with django_db_blocker.unblock():
        shop = Shop(tmp_path_factory.mktemp("lane"), SimpleNamespace(environment={}))
    try:
        yield Web(shop, cable)
    finally:
        shop.close()
        cable.cut()


@pytest.fixture
def web(_running) -> Web:
    _running.cable.mend()
    return _running


def path_of(product_id) -> str:
    return f"/api/v1/products/{product_id}"


def test_the_lane_says_what_django_says(web):
    path = path_of(product(on_hand=3))
    server = next(iter(web.connections))
    django = web.send(server, path, Prefer="x", Cookie="a=b")
    known = django[1]["etag"]
    django_known = web.send(server, path, Cookie="a=b", If_None_Match=known)
    web.both_by_lane(path)
    eventually(lambda: web.by_lane(server, path, If_None_Match=known))
    lane, lane_known = web.send(server, path), web.send(server, path, If_None_Match=known)
    for theirs, ours in ((django, lane), (django_known, lane_known)):
        for _, headers, _ in (theirs, ours):
            assert all(headers.pop(name) for name in LATELY)
            # django-csp writes the directives in any order.
            headers[POLICY] = set(headers[POLICY].split("; "))
        assert ours == theirs
    assert (lane[0], lane_known[0], lane_known[2]) == (200, 304, b"")


def test_a_change_over_http_is_seen_by_both_within_a_second(web):
    path = path_of(product(price=Money("4.20", "GBP")))
    web.both_by_lane(path)
    user = person(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="change_product"))
    token = new_session(user)
    first, second = web.connections
    body = json.dumps({"price": {"amount": "5.40", "currency": "GBP"}, "version": 1})
    words = {"X_Session_Token": token, "Content_Type": "application/json"}
    assert web.send(first, path, "PATCH", body, **words)[0] == 200
    answered = time.monotonic()
    for server in (first, second):
        eventually(lambda server=server: web.price(server, path) == "5.40", seconds=BOUND)
    assert time.monotonic() - answered < BOUND
    web.both_by_lane(path)
    assert [web.price(server, path) for server in (first, second)] == ["5.40", "5.40"]


def test_what_is_old_is_not_shown_once_the_channel_is_cut(web):
    product_id = product(price=Money("4.20", "GBP"))
    path = path_of(product_id)
    web.both_by_lane(path)
    web.cable.cut()
    one = Product.objects.get(public_id=product_id)
    services.product_change(
        product_pk=one.pk, version=1, changes={"price": Money("6.60", "GBP")}
    )  # Redis hears of it, the web does not
    time.sleep(BOUND)
    assert [web.price(server, path) for server in web.connections] == ["6.60", "6.60"]
    assert not web.by_lane(next(iter(web.connections)), path)
    web.cable.mend()
    web.both_by_lane(path)
    assert [web.price(server, path) for server in web.connections] == ["6.60", "6.60"]


def test_a_deleted_product_is_gone_for_both(web):
    product_id = product()
    path = path_of(product_id)
    web.both_by_lane(path)
    services.product_delete(product_pk=Product.objects.get(public_id=product_id).pk, version=None)
    for server in web.connections:
        eventually(lambda server=server: web.send(server, path)[0] == 404, seconds=BOUND)
