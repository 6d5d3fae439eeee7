"""An app of a customer's: it speaks allauth's flows and keeps the token it is given."""

import re
import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.http import HttpResponse
from django.test import Client

PREFIX = "/_allauth/app/v1/"
PASSWORD = "correct horse battery"


class App:
    """``app("post", "auth/login", {…})``; the token of each answer goes along with the next."""

    def __init__(self, client: Client):
        self.client = client
        self.token = ""

    def __call__(
        self, method: str, path: str, body: Any = None, headers: dict | None = None
    ) -> HttpResponse:
        sent = {"X-Session-Token": self.token} if self.token else {}
        answer = getattr(self.client, method)(
            path if path.startswith("/") else PREFIX + path,
            *([] if body is None else [body]),
            content_type="application/json",
            headers=sent | (headers or {}),
        )
        if path.startswith("/") or not answer.content:
            return answer
        self.token = answer.json().get("meta", {}).get("session_token") or self.token
        return answer

    def sign_up(self, email: str, name: str = "Ann", password: str = PASSWORD) -> HttpResponse:
        return self("post", "auth/signup", {"email": email, "name": name, "password": password})

    def verify(self, code: str) -> HttpResponse:
        return self("post", "auth/email/verify", {"key": code})

    def log_in(self, email: str, password: str = PASSWORD) -> HttpResponse:
        self.token = ""
        return self("post", "auth/login", {"email": email, "password": password})

    def reauthenticate(self, password: str = PASSWORD) -> HttpResponse:
        return self("post", "auth/reauthenticate", {"password": password})

    def me(self) -> HttpResponse:
        return self("get", "/api/v1/me")

    def set_up_second_factor(self) -> tuple[str, list[str]]:
        """The new secret, and the recovery codes."""
        self.reauthenticate()
        secret = self("get", "account/authenticators/totp").json()["meta"]["secret"]
        made = self("post", "account/authenticators/totp", {"code": totp(secret, ahead=-1)})
        assert made.status_code == 200, made.content
        codes = self("get", "account/authenticators/recovery-codes").json()["data"]["unused_codes"]
        return secret, codes


def pending(answer: HttpResponse) -> list[str]:
    """The flows that the app must go on with."""
    return [flow["id"] for flow in answer.json()["data"]["flows"] if flow.get("is_pending")]


def codes_of(answer: HttpResponse) -> list[tuple[str, str]]:
    """Where and what the errors of an answer are."""
    return [(error.get("param"), error["code"]) for error in answer.json()["errors"]]


def mailed_code(to: str) -> str:
    """The code in the last mail to the address."""
    [*_, last] = [message for message in mail.outbox if message.to == [to]]
    [code] = re.findall(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})$", last.body, re.MULTILINE)
    return code


def totp(secret: str, ahead: int = 0) -> str:
    """The code that an authenticator app shows now, or in so many half minutes."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead))
