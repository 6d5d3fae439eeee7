"""One member of staff of each role."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from apps.customers.models import User


@pytest.fixture
def member(db) -> Callable[[str], User]:
    """``member("Support")``: somebody in that group and no other."""

    def make(role: str) -> User:
        user = User.objects.create_user(f"{role.lower()}@example.com", name=role, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        return user

    return make


@pytest.fixture
def client_of(member) -> Callable[[str], Client]:
    """The back office as somebody of the role sees it."""

    def login(role: str) -> Client:
        client = Client()
        client.force_login(member(role))
        return client

    return login
