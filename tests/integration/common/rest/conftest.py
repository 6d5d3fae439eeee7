import pytest
from rest_framework.test import APIClient


@pytest.fixture
def urls(settings):
    """Serves the test's own addresses instead of the shop's."""
    settings.ROOT_URLCONF = "tests.integration.common.rest.urls"


@pytest.fixture
def api(urls):
    """A client that is nobody; what breaks in a view is answered, not raised."""
    return APIClient(raise_request_exception=False)
