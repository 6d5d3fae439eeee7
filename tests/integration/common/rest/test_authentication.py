"""Closed until opened: who gets in, and how."""

import pytest
from allauth.headless import app_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from rest_framework.test import APIClient

from apps.customers.models import User

pytestmark = pytest.mark.django_db(databases=["default"])


@pytest.fixture
def user(urls):
    return User.objects.create_user(email="ada@example.com", name="Ada", password=None)


@pytest.fixture
def token(user, settings):
    """A session token as a login through allauth yields it."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    assert app_settings.TOKEN_STRATEGY.lookup_session(session.session_key)
    return session.session_key


def get(address, token=None):
    return APIClient().get(address, headers={"X-Session-Token": token} if token else {})


def test_nobody_is_asked_to_log_in(urls):
    response = get("/api/closed")
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == 'X-Session-Token realm="api"'


def test_a_session_token_lets_its_user_in(token):
    response = get("/api/closed", token)
    assert (response.status_code, response.json()) == (200, {"user": "ada@example.com"})


@pytest.mark.parametrize("bad", ["nonsense", "x" * 5_000, "a\tb", "é"])
@pytest.mark.parametrize("address", ["/api/closed", "/api/permissions"])
def test_a_bad_token_is_told_so_also_where_anybody_may_read(urls, bad, address):
    response = get(address, bad)
    assert (response.status_code, response.json()["code"]) == (401, "authentication_failed")
    assert response["WWW-Authenticate"]


@pytest.mark.parametrize("change", ["inactive", "deleted", "new password"])
def test_a_token_ends_with_what_it_stands_on(user, token, change):
    if change == "deleted":
        user.delete()
    elif change == "inactive":
        User.objects.filter(pk=user.pk).update(is_active=False)
    else:
        user.set_password("another long one")
        user.save()
    assert get("/api/closed", token).status_code == 401


def test_a_browsers_session_reads(user):
    client = APIClient()
    client.force_login(user)
    assert client.get("/api/closed").status_code == 200


@pytest.mark.parametrize(
    "content_type, status", [("application/json", 403), ("multipart/form-data; boundary=x", 415)]
)
def test_a_browsers_session_writes_only_with_a_csrf_token(user, content_type, status):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.generic("POST", "/api/closed", b"{}", content_type).status_code == status


def test_a_session_token_needs_no_csrf_token(token):
    client = APIClient(enforce_csrf_checks=True)
    assert client.post("/api/closed", {}, headers={"X-Session-Token": token}).status_code == 200


@pytest.mark.parametrize(
    "is_staff, permitted, status",
    [(False, False, 403), (False, True, 403), (True, False, 403), (True, True, 200)],
)
def test_staff_addresses_want_staff_with_the_permission(user, token, is_staff, permitted, status):
    User.objects.filter(pk=user.pk).update(is_staff=is_staff)
    if permitted:
        kind, _ = ContentType.objects.get_or_create(app_label="catalog", model="stockitem")
        permission, _ = Permission.objects.get_or_create(
            codename="adjust_stock", content_type=kind, defaults={"name": "adjust"}
        )
        user.user_permissions.add(permission)
    response = get("/api/staff", token)
    assert response.status_code == status
    assert get("/api/staff").status_code == 401
