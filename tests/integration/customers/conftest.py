"""People, and clients that call from an address of their own: login limits count per address."""

import itertools
import secrets

import pytest
from django.test import Client

from apps.customers import services
from apps.customers.models import User
from tests.integration.customers.app import PASSWORD, App

__all__ = ["PASSWORD"]
_numbers = itertools.count()


@pytest.fixture
def remote_address() -> str:
    return "10." + ".".join(str(part) for part in secrets.token_bytes(3))


@pytest.fixture
def client(remote_address) -> Client:
    return Client(REMOTE_ADDR=remote_address)


@pytest.fixture
def make_user():
    """Makes an account; without an e-mail address one that no other test has used."""

    def make(email: str = "", password: str | None = None, name: str = "Ann", **roles) -> User:
        email = email or f"person-{next(_numbers)}-{secrets.token_hex(4)}@example.com"
        return services.customer_create(email=email, name=name, password=password, roles=roles)

    return make


@pytest.fixture
def log_in(client):
    """Logs in as an API client does; returns the answer."""

    def login(email: str, password: str = PASSWORD):
        return client.post(
            "/_allauth/app/v1/auth/login",
            {"email": email, "password": password},
            content_type="application/json",
        )

    return login


@pytest.fixture
def new_app():
    """Apps, each on a device of its own."""

    def make() -> App:
        address = "10." + ".".join(str(part) for part in secrets.token_bytes(3))
        return App(Client(REMOTE_ADDR=address, HTTP_USER_AGENT=f"Phone {next(_numbers)}"))

    return make


@pytest.fixture
def app(new_app) -> App:
    return new_app()


@pytest.fixture
def email() -> str:
    """An address that no other test has used: limits count per address, too."""
    return f"new-{next(_numbers)}-{secrets.token_hex(4)}@example.com"


@pytest.fixture
def no_cooldown(settings):
    """Codes may be sent one right after the other."""
    settings.ACCOUNT_RATE_LIMITS = {"confirm_email": None}


@pytest.fixture
def new_client():
    """Browsers, each with an address of its own."""
    return lambda: Client(REMOTE_ADDR=f"10.{'.'.join(map(str, secrets.token_bytes(3)))}")
