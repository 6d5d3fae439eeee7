"""Ada, who is logged in to the API."""

import pytest
from rest_framework.test import APIClient

from apps.customers.models import User


@pytest.fixture
def ada(db) -> User:
    return User.objects.create_user("ada@example.com", name="Ada Lovelace")


@pytest.fixture
def api(ada) -> APIClient:
    client = APIClient()
    client.force_authenticate(ada)
    return client
