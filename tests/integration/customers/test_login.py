"""Logging in: tokens for apps, sessions for the admin; the deleted are out at once."""

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from apps.customers import services
from apps.customers.models import User
from tests.integration.customers.conftest import PASSWORD

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))  # the dashboard's

LOGIN = "/_allauth/app/v1/auth/login"
SESSION = "/_allauth/app/v1/auth/session"
ME = "/api/v1/me"


@pytest.fixture
def ann(make_user):
    return make_user(password=PASSWORD)


@pytest.fixture
def token(ann, log_in) -> dict[str, str]:
    return {"X-Session-Token": log_in(ann.email).json()["meta"]["session_token"]}


def admin_login(client: Client, email: str, password: str = PASSWORD):
    return client.post("/admin/login/?next=/admin/", {"username": email, "password": password})


def test_an_app_logs_in_with_any_case_and_gets_a_token(ann, log_in, client):
    answer = log_in(ann.email.upper())

    assert answer.status_code == 200
    assert answer.json()["data"]["user"] == {
        "id": str(ann.public_id),
        "display": "Ann",
        "email": ann.email,
        "has_usable_password": True,
    }
    token = {"X-Session-Token": answer.json()["meta"]["session_token"]}
    assert client.get(ME, headers=token).json()["email"] == ann.email
    assert "sessionid" not in answer.cookies


def test_logging_out_ends_the_token(client, token):
    assert client.get(SESSION, headers=token).status_code == 200

    client.delete(SESSION, headers=token)

    assert client.get(ME, headers=token).status_code == 401
    assert client.get(SESSION, headers=token).status_code == 410
    assert Session.objects.count() == 0


def test_without_a_token_nobody_is_known(client):
    answer = client.get(ME)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("X-Session-Token")
    assert client.get(ME, headers={"X-Session-Token": "x" * 32}).status_code == 401


def test_a_wrong_password_and_an_unknown_person_look_alike(ann, log_in):
    wrong = log_in(ann.email, "wrong password")
    unknown = log_in("nobody@example.com")

    assert wrong.status_code == unknown.status_code == 400
    assert wrong.json() == unknown.json()
    assert Session.objects.count() == 0


def test_someone_without_a_password_cannot_log_in(make_user, log_in):
    assert log_in(make_user().email, "!").status_code == 400


def test_deleting_someone_ends_their_tokens_at_once(ann, client, token, log_in):
    services.customer_delete(user_id=ann.pk)

    assert client.get(ME, headers=token).status_code == 401
    assert log_in(ann.email).status_code == 400
    assert Session.objects.count() == UserSession.objects.count() == 0

    services.customer_restore(user_id=ann.pk)
    assert client.get(ME, headers=token).status_code == 401
    assert log_in(ann.email).status_code == 200


def test_a_row_deleted_behind_the_services_back_is_nobody_too(ann, client, token, log_in):
    ann.delete()

    assert client.get(ME, headers=token).status_code == 401
    assert client.get(SESSION, headers=token).status_code == 401
    answer = log_in(ann.email)  # allauth's own row of the address is still there
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "email_password_mismatch"


def test_shutting_someone_out_ends_their_tokens_at_once(ann, client, token, log_in):
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert client.get(ME, headers=token).status_code == 401
    answer = log_in(ann.email)
    assert answer.status_code == 401
    assert answer.json()["meta"] == {"is_authenticated": False}
    assert client.get(ME, headers=token).status_code == 401

    services.customer_update(user_id=ann.pk, changes={"is_active": False})
    services.customer_update(user_id=ann.pk, changes={"is_active": True})
    assert client.get(ME, headers=token).status_code == 401


def test_a_new_password_ends_their_tokens_at_once(ann, client, token, log_in):
    services.customer_set_password(user_id=ann.pk, password="another long password")

    assert client.get(ME, headers=token).status_code == 401
    assert log_in(ann.email).status_code == 400
    assert log_in(ann.email, "another long password").status_code == 200


def test_failed_logins_are_limited(ann, log_in):
    answers = [log_in(ann.email, "wrong password").status_code for _ in range(6)]
    assert answers == [400] * 6

    answer = log_in(ann.email)  # right, but too late
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "too_many_login_attempts"


def test_logins_are_limited_by_address(log_in):
    for number in range(10):
        log_in(f"nobody-{number}@example.com")
    answer = log_in("nobody@example.com")

    assert answer.json()["errors"][0]["code"] == "too_many_login_attempts"
    for number in range(19):
        answer = log_in(f"nobody-{number}@example.com")
    assert log_in("nobody@example.com").status_code == 429


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "auth/code/confirm"),
        ("post", "auth/phone/verify"),
        ("post", "auth/phone/verify/resend"),
        ("get", "account/phone"),
        ("post", "account/phone"),
        ("post", "tokens/refresh"),
    ],
)
def test_other_flows_are_closed_to_everyone(client, token, method, path):
    users = list(User.all_objects.values())
    body = {"email": "new@example.com", "password": PASSWORD, "new_password": PASSWORD}

    for headers in ({}, token):
        answer = getattr(client, method)(
            f"/_allauth/app/v1/{path}",
            *([body] if method == "post" else []),
            content_type="application/json",
            headers=headers,
        )
        assert (answer.status_code, answer.json()) == (403, {"status": 403})

    assert list(User.all_objects.values()) == users


def test_there_is_no_login_for_browsers_beside_the_admins(client):
    assert client.get("/_allauth/browser/v1/auth/session").status_code == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"{}", b'{"email": 1, "password": []}'])
def test_a_bad_login_request_is_a_400(client, body):
    answer = client.post(LOGIN, body, content_type="application/json")

    assert answer.status_code == 400


def test_staff_log_into_the_admin_by_email(make_user, client):
    staff = make_user(password=PASSWORD, is_staff=True, is_superuser=True)

    answer = admin_login(client, staff.email.upper())

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200
    assert UserSession.objects.get().user_id == staff.pk


def test_deleting_staff_ends_their_admin_session_for_good(make_user, client):
    staff = make_user(password=PASSWORD, is_staff=True)
    admin_login(client, staff.email)
    assert client.get("/admin/").status_code == 200

    services.customer_delete(user_id=staff.pk)
    assert client.get("/admin/").status_code == 302
    services.customer_restore(user_id=staff.pk)
    assert client.get("/admin/").status_code == 302


def test_customers_are_refused_by_the_admin(ann, client, token):
    answer = admin_login(client, ann.email)
    assert answer.status_code == 200
    assert b"correct e-mail address and password for a staff account" in answer.content
    assert "sessionid" not in client.cookies

    client.force_login(ann)
    for path in ("/admin/", "/admin/customers/user/", "/admin/messaging/outbox/"):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={path}")


def test_inactive_staff_learn_no_more_than_with_a_wrong_password(make_user, client):
    staff = make_user(password=PASSWORD, is_staff=True, is_active=False)

    right = admin_login(client, staff.email)
    wrong = admin_login(client, staff.email, "wrong password")

    errors = [list(answer.context["form"].non_field_errors()) for answer in (right, wrong)]
    assert len(errors[0]) == 1
    assert errors[0] == errors[1]


def test_the_admins_login_is_limited_too(make_user, client):
    staff = make_user(password=PASSWORD, is_staff=True)
    for _ in range(5):
        admin_login(client, staff.email, "wrong password")

    answer = admin_login(client, staff.email)

    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors() == [
        "Too many failed login attempts. Try again later."
    ]
    assert client.get("/admin/").status_code == 302
