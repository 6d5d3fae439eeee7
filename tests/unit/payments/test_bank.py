"""The sandbox acquirer's rules, without HTTP."""

import json
import subprocess
import sys

import pytest

from apps.payments.sandbox.bank import Bank, Reply, Request, Then
from apps.payments.sandbox.record import Record


class Client:
    """Sends requests to a bank one by one."""

    def __init__(self, directory):
        self.directory = directory
        self.open()

    def open(self) -> None:
        self.bank = Bank(Record(self.directory))

    def reopen(self) -> None:
        self.bank.record.close()
        self.open()

    def send(self, method, path, body=None, key="", query="") -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        with self.bank.record.transaction():
            return self.bank.handle(Request(method, path, query, key, raw))

    def told(self, *args, **kwargs) -> tuple[int, str]:
        """Status, and the payment's status or the error's code."""
        reply = self.send(*args, **kwargs)
        data = json.loads(reply.body or b"{}")
        return reply.status, data["error"]["code"] if "error" in data else data.get("status", "")

    def authorize(self, reference="r1", token="tok_approve", amount="12.34", key=None):
        body = {
            "reference": reference,
            "amount": {"amount": amount, "currency": "GBP"},
            "card_token": token,
        }
        return self.told("POST", "/v1/authorizations", body, key or f"{reference}:authorize")

    def move(self, operation, reference="r1", key=None, body=None):
        path = f"/v1/payments/{reference}/{operation}"
        return self.told("POST", path, body or {}, key or f"{reference}:{operation}")

    def payment(self, reference="r1") -> dict:
        return json.loads(self.send("GET", f"/v1/payments/{reference}").body)


@pytest.fixture
def client(tmp_path):
    one = Client(tmp_path)
    yield one
    one.bank.record.close()


def test_capture_and_refund(client):
    assert client.authorize() == (201, "authorized")
    assert client.move("captures") == (201, "captured")
    assert client.move("refunds") == (201, "refunded")
    assert client.payment() | {"created_at": ""} == {
        "id": "pay_1",
        "reference": "r1",
        "status": "refunded",
        "code": "",
        "authorized": {"amount": "12.34", "currency": "GBP"},
        "captured": {"amount": "12.34", "currency": "GBP"},
        "refunded": {"amount": "12.34", "currency": "GBP"},
        "captures": 1,
        "created_at": "",
    }


@pytest.mark.parametrize(
    ("before", "operation", "code"),
    [
        ([], "refunds", "not_captured"),
        (["captures"], "captures", "payment_captured"),
        (["captures"], "voids", "payment_captured"),
        (["voids"], "captures", "payment_voided"),
        (["voids"], "voids", "payment_voided"),
        (["voids"], "refunds", "payment_voided"),
        (["captures", "refunds"], "refunds", "payment_refunded"),
        (["captures", "refunds"], "captures", "payment_refunded"),
    ],
)
def test_what_the_state_does_not_allow_is_refused_and_changes_nothing(
    client, before, operation, code
):
    client.authorize()
    for one in before:
        client.move(one)
    payment = client.payment()
    assert client.move(operation, key="another") == (409, code)
    assert client.payment() == payment


def test_a_decline_is_kept_and_cannot_be_captured(client):
    assert client.authorize(token="tok_decline") == (402, "card_declined")
    assert client.authorize(token="tok_decline") == (402, "card_declined")
    assert client.payment()["status"] == "declined"
    assert client.move("captures") == (409, "payment_declined")


def test_the_same_key_gets_the_same_answer_whatever_happened_since(client):
    first = client.authorize()
    client.move("voids")
    assert client.authorize() == first == (201, "authorized")
    assert client.payment()["status"] == "voided"


def test_the_same_key_for_another_request_is_refused(client):
    client.authorize()
    assert client.authorize(amount="12.35", key="r1:authorize") == (422, "idempotency_key_reused")
    assert client.move("captures", key="r1:authorize") == (422, "idempotency_key_reused")
    assert client.payment()["status"] == "authorized"


def test_a_reference_is_used_once(client):
    client.authorize()
    assert client.authorize(key="another") == (409, "reference_taken")


def test_parts_can_be_captured_and_refunded_but_never_more_than_there_is(client):
    def part(amount, currency="GBP"):
        return {"amount": {"amount": amount, "currency": currency}}

    client.authorize()
    assert client.move("captures", key="1", body=part("12.35")) == (409, "amount_too_large")
    assert client.move("captures", key="2", body=part("10.00")) == (201, "captured")
    assert client.move("refunds", key="3", body=part("4", "EUR")) == (400, "currency_mismatch")
    assert client.move("refunds", key="4", body=part("4")) == (201, "partially_refunded")
    assert client.move("refunds", key="5", body=part("6.01")) == (409, "amount_too_large")
    assert client.move("refunds", key="6", body=part("6.0")) == (201, "refunded")


@pytest.mark.parametrize(
    "amount", ["0", "-1", "1.234", "1e3", "NaN", "", "01", "1.", "1" * 13, None, "٣"]
)
def test_an_amount_that_is_none_is_refused(client, amount):
    assert client.authorize(amount=amount) == (400, "invalid_amount")
    assert client.told("GET", "/v1/payments/r1") == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "body", "key", "answer"),
    [
        ("POST", "/v1/authorizations", {}, "", (400, "idempotency_key_required")),
        ("POST", "/v1/authorizations", {}, "k" * 256, (400, "idempotency_key_required")),
        ("POST", "/v1/authorizations", b"{", "k", (400, "invalid_json")),
        ("POST", "/v1/authorizations", b"[]", "k", (400, "invalid_json")),
        ("POST", "/v1/authorizations", b"[" * 60_000, "k", (400, "invalid_json")),
        ("POST", "/v1/authorizations", {"reference": "a/b"}, "k", (400, "invalid_reference")),
        (
            *("POST", "/v1/authorizations", {"reference": "a", "card_token": "\ud800"}, "k"),
            (400, "invalid_card_token"),
        ),
        ("POST", "/v1/payments/r9/captures", {}, "k", (404, "not_found")),
        ("POST", "/v1/payments/r9/gifts", {}, "k", (404, "not_found")),
        ("GET", "/v1/payments/r9", None, "", (404, "not_found")),
        ("GET", "/", None, "", (404, "not_found")),
        ("DELETE", "/v1/payments/r9", None, "", (405, "method_not_allowed")),
    ],
)
def test_bad_requests_are_told_what_is_wrong(client, method, path, body, key, answer):
    assert client.told(method, path, body, key) == answer


def test_pages_hold_every_payment_once_oldest_first(client):
    for number in range(5):
        client.authorize(f"r{number}")
    seen, after = [], 0
    while after is not None:
        query = f"after={after}&limit=2"
        page = json.loads(client.send("GET", "/v1/payments", query=query).body)
        assert len(page["payments"]) <= 2
        seen += [one["reference"] for one in page["payments"]]
        after = page["next"]
    assert seen == ["r0", "r1", "r2", "r3", "r4"]
    assert client.told("GET", "/v1/payments", query="after=x") == (400, "invalid_page")


def test_which_attempt_goes_wrong_survives_a_restart(client):
    first = client.send("POST", "/v1/authorizations", _body("tok_timeout_before"), "k")
    assert first.then is Then.HANG
    client.reopen()
    second = client.send("POST", "/v1/authorizations", _body("tok_timeout_before"), "k")
    assert (second.status, second.then) == (201, Then.ANSWER)
    client.reopen()
    assert client.payment()["status"] == "authorized"


def test_a_late_authorization_happens_after_somebody_looked_for_it_in_vain(client):
    body = _body("tok_timeout_late")
    assert client.send("POST", "/v1/authorizations", body, "k").then is Then.HANG
    client.reopen()
    assert client.told("GET", "/v1/payments/r1") == (404, "not_found")
    assert client.payment()["status"] == "authorized"
    assert client.told("POST", "/v1/authorizations", body, "k") == (201, "authorized")


def test_a_late_authorization_that_is_repeated_happens_once(client):
    body = _body("tok_timeout_late")
    client.send("POST", "/v1/authorizations", body, "k")
    assert client.told("POST", "/v1/authorizations", body, "k") == (201, "authorized")
    assert client.move("voids") == (201, "voided")
    assert client.payment()["status"] == "voided"
    assert client.payment()["status"] == "voided"


def test_the_sandbox_shares_no_code_with_the_shop():
    code = (
        "import sys, apps.payments.sandbox.__main__\n"
        "print([one for one in sys.modules if one.split('.')[0] in ('django', 'project')\n"
        "       or one.startswith('apps.') and not one.startswith('apps.payments')\n"
        "       or one.startswith('apps.payments.') and 'sandbox' not in one])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def _body(token: str) -> dict:
    amount = {"amount": "12.34", "currency": "GBP"}
    return {"reference": "r1", "amount": amount, "card_token": token}
