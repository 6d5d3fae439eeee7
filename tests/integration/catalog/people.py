"""Clients of the API: staff with the permissions named, customers, strangers."""

import itertools

from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from apps.customers.models import User

_number = itertools.count()


def person(**values) -> User:
    return User.objects.create_user(
        f"person-{next(_number)}@catalogue.example.com", name="Sam", **values
    )


def client_of(user: User | None) -> APIClient:
    """A client of the user, logged in as a browser is; None = a stranger."""
    client = APIClient()
    if user is not None:
        client.force_login(user)
    return client


def staff(*permissions: str) -> APIClient:
    """A member of staff with these permissions of the catalogue (codenames), and no others."""
    user = person(is_staff=True)
    rights = Permission.objects.filter(content_type__app_label="catalog", codename__in=permissions)
    assert rights.count() == len(permissions), permissions
    user.user_permissions.set(rights)
    return client_of(user)


def customer(*permissions: str) -> APIClient:
    """A customer; permissions alone make nobody staff."""
    user = person()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return client_of(user)
