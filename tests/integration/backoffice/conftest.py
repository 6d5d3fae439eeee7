"""A member of the staff who may see everything."""

import pytest
from django.test import Client

from apps.customers.models import User


@pytest.fixture
def root(db) -> User:
    return User.objects.create_superuser("root@example.com", name="Root")


@pytest.fixture
def staff(root) -> Client:
    client = Client()
    client.force_login(root)
    return client
