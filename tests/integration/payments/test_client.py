"""The HTTP client against gateways that misbehave on the wire."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import pytest
from moneyed import Money

from apps.common.errors import Unavailable
from apps.payments import client, facade
from apps.payments.contracts import Operation
from apps.payments.gateways import Declined, GatewayError, Refused, Unanswered, Unreachable
from tests.integration.payments.money import brief, open_payment, open_payments, operate

REFERENCE, ONE = UUID(int=1), Money("12.34", "GBP")


@pytest.fixture
def answering(settings):
    """A server that gives one answer to everything: ``answering(status, body)``."""
    servers = []

    def start(status: int, body: bytes) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST

            def log_message(self, *args) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        servers.append(server)
        settings.GATEWAY_URL = f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def capture() -> None:
    client.gateway().capture(REFERENCE, ONE, "key")


@pytest.mark.parametrize(
    ("status", "body", "meaning", "code"),
    [
        (402, {"error": {"code": "card_declined"}}, Declined, "card_declined"),
        (422, {"error": {"code": "idempotency_key_reused"}}, Declined, "idempotency_key_reused"),
        (400, {"error": "what?"}, Declined, "status_400"),
        (409, {"error": {"code": "payment_voided"}}, Refused, "payment_voided"),
        (404, {"error": {"code": "not_found"}}, Refused, "not_found"),
        (401, {}, Unreachable, "status_401"),
        (429, {}, Unreachable, "status_429"),
        (408, {}, Unanswered, "status_408"),
        (302, {}, Unanswered, "gateway_error"),
        (500, {"error": {"code": "internal_error"}}, Unanswered, "gateway_error"),
        (503, b"<html>", Unanswered, "gateway_error"),
        (402, b"<html>", Unanswered, "gateway_error"),
        (201, b"<html>", Unanswered, "gateway_error"),
        (201, b"[]", Unanswered, "gateway_error"),
        (201, {"status": "captured"}, Unanswered, "gateway_error"),
    ],
)
def test_only_a_definite_answer_is_taken_for_one(answering, status, body, meaning, code):
    answering(status, body if isinstance(body, bytes) else json.dumps(body).encode())
    with pytest.raises(GatewayError) as raised:
        capture()
    assert (type(raised.value), raised.value.code) == (meaning, code)


@pytest.mark.parametrize("body", [b"{}", b'{"payments": [{}], "next": null}'])
def test_a_page_that_cannot_be_read_is_not_taken_for_an_empty_one(answering, body):
    answering(200, body)
    with pytest.raises(Unavailable):
        list(facade.gateway_records())


def test_a_gateway_that_hangs_is_given_up_after_the_read_time_out(gateway, settings):
    settings.GATEWAY_READ_TIMEOUT = 0.2
    gateway.freeze()
    with pytest.raises(Unanswered) as raised:
        capture()
    assert raised.value.code == "timeout"
    assert not facade.gateway_answers()
    gateway.thaw()
    assert facade.gateway_answers()


@pytest.mark.django_db(databases=["orders"], transaction=True)
def test_a_kept_connection_that_the_gateway_closed_is_not_taken_for_a_lost_answer(gateway):
    order_id = open_payment()
    [first] = operate(Operation.AUTHORIZE, order_id)
    gateway.restart()
    [second] = operate(Operation.CAPTURE, order_id)
    assert [brief(first), brief(second)] == ["succeeded authorized", "succeeded captured"]


@pytest.mark.django_db(databases=["orders"], transaction=True)
def test_the_breaker_spares_a_dead_gateway_and_finds_out_when_it_lives(gateway, settings):
    settings.GATEWAY_BREAKER_FAILURES, settings.GATEWAY_BREAKER_SECONDS = 3, 3600.0
    settings.GATEWAY_CONCURRENCY = 1
    orders = open_payments(["tok_approve"] * 6)
    gateway.kill()
    results = operate(Operation.AUTHORIZE, *orders)
    assert [one.code for one in results] == ["connection_failed"] * 3 + ["breaker_open"] * 3
    assert {one.status.value for one in results} == {"unreachable"}

    gateway.start()
    [still] = operate(Operation.AUTHORIZE, orders[0])
    assert still.code == "breaker_open"
    assert gateway.payments() == []

    breaker = client.gateway().breaker
    breaker._opened_at -= 3600  # an hour later
    results = operate(Operation.AUTHORIZE, *orders)
    assert [brief(one) for one in results] == ["succeeded authorized"] * 6
    assert not breaker.is_open


@pytest.mark.django_db(databases=["orders"], transaction=True)
def test_declines_do_not_open_the_breaker(gateway, settings):
    settings.GATEWAY_BREAKER_FAILURES = 2
    orders = open_payments(["tok_decline"] * 10)
    assert {one.code for one in operate(Operation.AUTHORIZE, *orders)} == {"card_declined"}
    assert not client.gateway().breaker.is_open
