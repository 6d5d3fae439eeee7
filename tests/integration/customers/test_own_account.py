"""What people do with their own login: passwords, e-mail address, sessions."""

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail

from apps.customers.models import User
from tests.integration.customers.app import PASSWORD, codes_of, mailed_code, pending

pytestmark = pytest.mark.django_db

NEW = "another long password"


@pytest.fixture
def ann(make_user, email):
    return make_user(email, PASSWORD)


@pytest.fixture
def phone(ann, new_app):
    phone = new_app()
    assert phone.log_in(ann.email).status_code == 200
    return phone


# --- passwords -----------------------------------------------------------------------------------
def ask_for_a_new_password(app, email: str):
    return app("post", "auth/password/request", {"email": email})


def reset(app, code: str, password: str = NEW):
    return app("post", "auth/password/reset", {"key": code, "password": password})


def test_a_forgotten_password_is_replaced_by_a_mailed_code(ann, phone, app):
    answer = ask_for_a_new_password(app, ann.email.upper())
    assert (answer.status_code, pending(answer)) == (401, ["password_reset_by_code"])

    assert reset(app, mailed_code(ann.email)).status_code == 401  # nobody is logged in by it

    assert phone.me().status_code == 401
    assert (Session.objects.count(), UserSession.objects.count()) == (1, 0)
    assert app.log_in(ann.email).status_code == 400
    assert app.log_in(ann.email, NEW).status_code == 200
    assert [m.subject for m in mail.outbox][1:] == ["[Holdfast] Password Reset"]


def test_a_code_resets_once_and_three_wrong_ones_end_it(ann, app, new_app):
    ask_for_a_new_password(app, ann.email)
    code = mailed_code(ann.email)
    reset(app, code)
    assert reset(app, code, "a third long password").status_code == 409

    other = new_app()
    ask_for_a_new_password(other, ann.email)
    for _ in range(3):
        assert codes_of(reset(other, "AAAAAA")) == [("key", "incorrect_code")]
    assert reset(other, mailed_code(ann.email)).status_code == 409
    assert User.objects.get().check_password(NEW)


def test_a_bad_new_password_keeps_the_code(ann, app):
    ask_for_a_new_password(app, ann.email)

    answer = reset(app, mailed_code(ann.email), "short")

    assert codes_of(answer) == [("password", "password_too_short")]
    assert User.objects.get().check_password(PASSWORD)
    assert reset(app, mailed_code(ann.email)).status_code == 401


def test_asking_for_nobodys_password_looks_the_same_and_mails_nobody(app):
    answer = ask_for_a_new_password(app, "nobody@example.com")

    assert (answer.status_code, pending(answer)) == (401, ["password_reset_by_code"])
    assert mail.outbox == []
    assert codes_of(reset(app, "AAAAAA")) == [("key", "incorrect_code")]


def test_asking_is_limited_by_account(ann, new_app):
    for _ in range(5):
        assert ask_for_a_new_password(new_app(), ann.email).status_code == 401

    answer = ask_for_a_new_password(new_app(), ann.email)

    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert len(mail.outbox) == 5


def change(app, current: str, new: str = NEW):
    body = {"current_password": current, "new_password": new}
    return app("post", "account/password/change", body)


def test_a_changed_password_ends_the_other_logins(ann, phone, new_app):
    tablet = new_app()
    tablet.log_in(ann.email)
    old = phone.token

    assert change(phone, PASSWORD).status_code == 200

    assert phone.token != old
    assert phone.me().status_code == 200
    assert tablet.me().status_code == 401
    assert UserSession.objects.get().session_key == phone.token
    assert tablet.log_in(ann.email, NEW).status_code == 200
    assert [(m.to, m.subject) for m in mail.outbox] == [
        ([ann.email], "[Holdfast] Password Changed")
    ]


def test_a_wrong_present_password_changes_nothing_and_is_limited(ann, phone):
    for _ in range(5):
        assert codes_of(change(phone, "wrong")) == [("current_password", "enter_current_password")]

    assert change(phone, PASSWORD).status_code == 429
    assert User.objects.get().check_password(PASSWORD)


# --- e-mail address ------------------------------------------------------------------------------
def change_email(app, to: str):
    return app("post", "account/email", {"email": to})


def test_an_email_is_changed_when_the_new_one_is_confirmed(ann, phone):
    to = f"new-{ann.email}"
    phone.reauthenticate()

    assert change_email(phone, to.upper()).status_code == 200
    assert User.objects.get().email == ann.email
    assert phone.verify(mailed_code(to)).status_code == 200

    user = User.objects.get()
    assert (user.email, user.version) == (to, ann.version + 1)
    claimed = EmailAddress.objects.get()
    assert (claimed.email, claimed.verified, claimed.primary) == (to, True, True)
    assert phone.log_in(ann.email).status_code == 400
    assert phone.log_in(to).status_code == 200
    assert [m.to for m in mail.outbox] == [[to], [ann.email]]  # the old one is told


def test_an_email_is_not_changed_without_the_password(ann, phone):
    answer = change_email(phone, f"new-{ann.email}")

    assert (answer.status_code, answer.json()["meta"]["is_authenticated"]) == (401, True)
    assert answer.json()["data"]["flows"][0]["id"] == "reauthenticate"
    assert mail.outbox == []


def test_somebody_elses_email_is_not_told_and_not_taken(ann, phone, make_user, new_app):
    other = make_user(f"other-{ann.email}", PASSWORD)
    phone.reauthenticate()

    answer = change_email(phone, other.email)

    assert answer.status_code == 200  # as for an address that is free
    assert mail.outbox[-1].to == [other.email]
    assert phone.verify(mailed_code(other.email)).status_code == 400
    assert User.objects.get(pk=ann.pk).email == ann.email
    assert new_app().log_in(other.email).status_code == 200


def test_an_email_that_was_taken_meanwhile_is_a_conflict(ann, phone, make_user):
    """An imported customer has the address by then: allauth has no row of it, the shop has."""
    to = f"new-{ann.email}"
    phone.reauthenticate()
    change_email(phone, to)
    make_user(to)

    assert phone.verify(mailed_code(to)).status_code == 409

    assert User.objects.get(pk=ann.pk).email == ann.email
    assert [row.email for row in EmailAddress.objects.all()] == [ann.email]


# --- logins --------------------------------------------------------------------------------------
def test_logins_are_listed_and_ended(ann, phone, new_app, make_user):
    tablet = new_app()
    tablet.log_in(ann.email)
    stranger = new_app()
    stranger.log_in(make_user(f"other-{ann.email}", PASSWORD).email)

    listed = phone("get", "auth/sessions").json()["data"]
    assert sorted(session["is_current"] for session in listed) == [False, True]
    assert {session["user_agent"][:5] for session in listed} == {"Phone"}
    other = next(session["id"] for session in listed if not session["is_current"])
    left = phone("delete", "auth/sessions", {"sessions": [other]}).json()["data"]

    assert [session["is_current"] for session in left] == [True]
    assert tablet.me().status_code == 401
    assert phone.me().status_code == 200


def test_somebody_elses_login_is_not_ended(phone, ann, new_app, make_user):
    stranger = new_app()
    stranger.log_in(make_user(f"other-{ann.email}", PASSWORD).email)
    theirs = UserSession.objects.exclude(user=ann).get()

    answer = phone("delete", "auth/sessions", {"sessions": [theirs.pk]})

    assert codes_of(answer) == [("sessions", "invalid_choice")]
    assert stranger.me().status_code == 200


@pytest.mark.parametrize("sessions", [[10**30], ["x"], [{}], "1", [None], {"a": 1}, [1.5], [True]])
def test_bad_logins_to_end_are_refused(phone, sessions):
    assert phone("delete", "auth/sessions", {"sessions": sessions}).status_code == 400
    assert phone.me().status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "auth/sessions"),
        ("get", "account/email"),
        ("post", "account/password/change"),
        ("post", "auth/reauthenticate"),
        ("get", "account/authenticators"),
        ("get", "account/authenticators/totp"),
        ("get", "account/authenticators/recovery-codes"),
    ],
)
def test_strangers_are_asked_to_log_in(app, method, path):
    assert app(method, path, {} if method == "post" else None).status_code == 401
