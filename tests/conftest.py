"""Fixtures for every test. Tests run on real PostgreSQL and Redis; see ``make test``."""

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from hypothesis import settings

# --hypothesis-profile=long: new courses of events instead of the same ones each time.
settings.register_profile("long", max_examples=2_000, stateful_step_count=60, derandomize=False)

pytest_plugins = [
    "tests.gateway",
    "tests.mailserver",
    "tests.processes",
    "tests.rabbitmq",
    "tests.reports",
]


@pytest.fixture(autouse=True)
def _no_request_limits(settings):
    """All tests call from one address; those about request limits set their own."""
    settings.API_REQUESTS_PER_MINUTE = {"anonymous": 0, "user": 0}


class QuickArgon2(Argon2PasswordHasher):
    """The same hash with little work, for tests that are not about its strength."""

    time_cost, memory_cost, parallelism = 1, 8, 1


@pytest.fixture(autouse=True)
def _quick_hashes(settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.QuickArgon2"]


@pytest.fixture(autouse=True, scope="session")
def _fresh_login_limits():
    """Login limits count per account, and a run before this one had accounts of the same keys."""
    cache.delete_pattern("*allauth*")
