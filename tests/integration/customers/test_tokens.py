"""Session tokens are looked up anew by every request: what ends them ends them at once."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.customers.models import User
from tests.integration.customers.conftest import PASSWORD

pytestmark = pytest.mark.django_db

ME = "/api/v1/me"


@pytest.fixture
def ann(make_user):
    return make_user(password=PASSWORD)


@pytest.fixture
def token(ann, log_in) -> str:
    return log_in(ann.email).json()["meta"]["session_token"]


@pytest.fixture
def status(client, token):
    """The status of a request with the token."""
    return lambda: client.get(ME, headers={"X-Session-Token": token}).status_code


def test_who_asks_is_found_out_with_one_query(client, token):
    with CaptureQueriesContext(connections["default"]) as queries:
        assert client.get(ME, headers={"X-Session-Token": token}).status_code == 200
    assert len(queries) == 2  # and one for the addresses


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "argon2$another"},
        {"is_active": False},
        {"deleted": timezone.now()},
    ],
)
def test_an_account_that_changed_by_any_way_is_out_at_once(ann, status, changes):
    assert status() == 200
    User.all_objects.filter(pk=ann.pk).update(**changes)  # past every service
    assert status() == 401


def test_a_session_that_ran_out_is_none(status, token):
    Session.objects.filter(pk=token).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert status() == 401


def test_a_session_that_was_written_over_is_none(status, token):
    Session.objects.filter(pk=token).update(session_data="forged:by:hand")
    assert status() == 401


def test_the_session_itself_says_whose_it_is(client, make_user, token, ann, status):
    """allauth's list of logins leads to the account quickly; it decides nothing."""
    other = make_user()
    User.objects.filter(pk=other.pk).update(password=ann.password)  # its signature would fit
    UserSession.objects.update(user=other)
    answer = client.get(ME, headers={"X-Session-Token": token})
    assert answer.json()["id"] == str(ann.public_id)

    UserSession.objects.all().delete()
    assert status() == 200


def test_a_secret_that_was_replaced_is_good_as_long_as_it_is_kept_along(status, settings):
    old = settings.SECRET_KEY
    with override_settings(SECRET_KEY="a new one", SECRET_KEY_FALLBACKS=[old]):
        assert (status(), status()) == (200, 200)
    with override_settings(SECRET_KEY="a new one", SECRET_KEY_FALLBACKS=[]):
        assert status() == 401
