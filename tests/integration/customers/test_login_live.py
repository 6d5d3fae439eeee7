"""The tour's login over a real connection: token, profile, log out."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from apps.customers import facade
from tests.integration.customers.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def ask(server, method: str, path: str, body=None, token: str = "") -> tuple[int, dict]:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    headers = {"Content-Type": "application/json"} if body else {}
    headers |= {"X-Session-Token": token} if token else {}
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_customer_logs_in_looks_around_and_logs_out(live_server):
    facade.create_login("live@example.com", "Live", PASSWORD, False)
    credentials = {"email": "Live@example.com", "password": PASSWORD}

    status, answer = ask(live_server, "POST", "/_allauth/app/v1/auth/login", credentials)
    assert status == 200
    token = answer["meta"]["session_token"]

    status, me = ask(live_server, "GET", "/api/v1/me", token=token)
    assert (status, me["email"]) == (200, "live@example.com")

    ask(live_server, "DELETE", "/_allauth/app/v1/auth/session", token=token)
    status, problem = ask(live_server, "GET", "/api/v1/me", token=token)
    assert (status, problem["code"]) == (401, "authentication_failed")
