"""Second factors of an app's user: set up, asked for at the login, used once."""

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail

from tests.integration.customers.app import PASSWORD, codes_of, mailed_code, pending, totp

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(make_user, email):
    return make_user(email, PASSWORD)


@pytest.fixture
def phone(ann, new_app):
    phone = new_app()
    phone.log_in(ann.email)
    return phone


def enter(app, code: str):
    return app("post", "auth/2fa/authenticate", {"code": code})


@pytest.mark.django_db(transaction=True)  # the mail goes out on commit
def test_it_is_set_up_with_the_password_and_a_code(ann, phone):
    assert phone("get", "account/authenticators/totp").status_code == 404
    unasked = phone("post", "account/authenticators/totp", {"code": "000000"})
    assert codes_of(unasked) == [("code", "incorrect_code")]

    _, recovery = phone.set_up_second_factor()

    assert len(recovery) == 10
    listed = phone("get", "account/authenticators").json()["data"]
    assert sorted(row["type"] for row in listed) == ["recovery_codes", "totp"]
    assert [(m.to, m.subject) for m in mail.outbox] == [
        ([ann.email], "[Holdfast] Authenticator App Activated")
    ]


def test_it_is_not_set_up_without_the_password(phone):
    secret = phone("get", "account/authenticators/totp").json()["meta"]["secret"]

    answer = phone("post", "account/authenticators/totp", {"code": totp(secret)})

    assert (answer.status_code, answer.json()["meta"]["is_authenticated"]) == (401, True)
    assert not Authenticator.objects.exists()


def test_the_login_asks_for_a_code(ann, phone, app):
    secret, _ = phone.set_up_second_factor()

    answer = app.log_in(ann.email)
    assert (answer.status_code, pending(answer)) == (401, ["mfa_authenticate"])
    assert app.me().status_code == 401
    assert codes_of(enter(app, "000000")) == [("code", "incorrect_code")]

    assert enter(app, totp(secret)).status_code == 200
    assert app.me().json()["email"] == ann.email


def test_a_code_counts_once(ann, phone, app, new_app):
    secret, _ = phone.set_up_second_factor()
    code = totp(secret)
    app.log_in(ann.email)
    assert enter(app, code).status_code == 200

    other = new_app()
    other.log_in(ann.email)
    assert codes_of(enter(other, code)) == [("code", "incorrect_code")]


def test_a_recovery_code_counts_once(ann, phone, app, new_app):
    _, recovery = phone.set_up_second_factor()
    app.log_in(ann.email)
    assert enter(app, recovery[0]).status_code == 200

    other = new_app()
    other.log_in(ann.email)
    assert codes_of(enter(other, recovery[0])) == [("code", "incorrect_code")]
    assert enter(other, recovery[1]).status_code == 200
    other.reauthenticate()
    left = other("get", "account/authenticators/recovery-codes").json()["data"]["unused_codes"]
    assert left == recovery[2:]


def test_wrong_codes_are_limited(ann, phone, app):
    secret, _ = phone.set_up_second_factor()
    app.log_in(ann.email)
    for _ in range(5):
        assert codes_of(enter(app, "000000")) == [("code", "incorrect_code")]

    assert codes_of(enter(app, totp(secret))) == [("code", "too_many_login_attempts")]
    assert app.me().status_code == 401


def test_it_is_removed_with_the_password(ann, phone, app):
    phone.set_up_second_factor()
    assert phone("delete", "account/authenticators/totp").status_code == 200

    assert not Authenticator.objects.exists()
    assert app.log_in(ann.email).status_code == 200


def test_a_new_password_leaves_the_second_factor(ann, phone, app, new_app):
    secret, _ = phone.set_up_second_factor()
    app("post", "auth/password/request", {"email": ann.email})
    app(
        "post", "auth/password/reset", {"key": mailed_code(ann.email), "password": "a new password"}
    )

    other = new_app()
    assert pending(other.log_in(ann.email, "a new password")) == ["mfa_authenticate"]
    assert enter(other, totp(secret)).status_code == 200


def test_secrets_are_sealed_in_the_database(ann, phone):
    secret, recovery = phone.set_up_second_factor()

    stored = str(list(Authenticator.objects.values_list("data", flat=True)))

    assert secret not in stored
    assert not any(code in stored for code in recovery)


def test_a_new_secret_key_still_opens_what_the_old_one_sealed(ann, phone, app, settings):
    secret, _ = phone.set_up_second_factor()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-of-this-test"

    app.log_in(ann.email)

    assert enter(app, totp(secret)).status_code == 200
