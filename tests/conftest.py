"""Fixtures for every test. Tests run on real PostgreSQL and Redis; see ``make test``."""

import pytest

pytest_plugins = ["tests.gateway", "tests.processes"]


@pytest.fixture(autouse=True)
def _no_request_limits(settings):
    """All tests call from one address; those about request limits set their own."""
    settings.API_REQUESTS_PER_MINUTE = {"anonymous": 0, "user": 0}
