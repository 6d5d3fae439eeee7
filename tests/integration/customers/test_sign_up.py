"""Signing up: the address is confirmed by a mailed code, and says nothing about others."""

import smtplib
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from apps.customers import facade, services
from apps.customers.contracts import RegisterCustomer
from apps.customers.errors import EmailTaken
from apps.customers.models import User
from tests.integration.customers.app import PASSWORD, codes_of, mailed_code, pending

pytestmark = pytest.mark.django_db


def test_a_customer_signs_up_confirms_and_is_logged_in(app, email):
    answer = app.sign_up(email.upper(), name="Ann Lee")
    assert (answer.status_code, pending(answer)) == (401, ["verify_email"])
    assert app.me().status_code == 401

    answer = app.verify(mailed_code(email))

    assert answer.status_code == 200
    assert answer.json()["data"]["user"]["email"] == email
    me = app.me().json()
    assert (me["email"], me["name"], me["is_staff"]) == (email, "Ann Lee", False)
    claimed = EmailAddress.objects.get()
    assert (claimed.email, claimed.verified, claimed.primary) == (email, True, True)
    assert User.objects.get().password.startswith("argon2$")
    assert [(m.to, m.from_email) for m in mail.outbox] == [([email], "Holdfast <shop@localhost>")]


def test_a_wrong_code_is_refused_and_the_third_ends_it(app, email):
    app.sign_up(email)

    for _ in range(3):
        assert codes_of(app.verify("AAAAAA")) == [("key", "incorrect_code")]

    assert app.verify(mailed_code(email)).status_code == 409
    assert not EmailAddress.objects.get().verified


def test_a_code_counts_on_its_own_device_alone(app, new_app, email):
    app.sign_up(email)

    assert new_app().verify(mailed_code(email)).status_code == 409
    assert app.verify(mailed_code(email)).status_code == 200


def test_who_has_not_confirmed_gets_a_new_code_at_the_login(app, new_app, email, no_cooldown):
    app.sign_up(email)
    first = mailed_code(email)

    phone = new_app()
    answer = phone.log_in(email)

    assert (answer.status_code, pending(answer)) == (401, ["verify_email"])
    assert mailed_code(email) != first
    assert phone.verify(mailed_code(email)).status_code == 200
    assert phone.me().json()["email"] == email


def test_a_code_is_sent_again_on_request(app, email, no_cooldown):
    app.sign_up(email)
    assert app("post", "auth/email/verify/resend").status_code == 200

    assert len(mail.outbox) == 2
    assert app.verify(mailed_code(email)).status_code == 200


def test_codes_are_not_sent_more_often_than_every_ten_seconds(app, email):
    app.sign_up(email)

    answer = app("post", "auth/email/verify/resend")

    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert len(mail.outbox) == 1


def test_an_address_with_an_account_looks_the_same_and_its_owner_is_told(app, make_user, email):
    ann = make_user(email, PASSWORD)

    answer = app.sign_up(email, name="Mallory")

    assert (answer.status_code, pending(answer)) == (401, ["verify_email"])
    assert User.objects.get() == ann
    [message] = mail.outbox
    assert message.to == [email]
    assert "There is an account for it already" in message.body
    assert codes_of(app.verify("AAAAAA")) == [("key", "incorrect_code")]


def test_without_demanded_confirmation_a_customer_is_in_at_once(app, email, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "none"

    assert app.sign_up(email).status_code == 200
    assert app.me().json()["email"] == email
    assert mail.outbox == []


def test_a_closed_shop_takes_no_new_customers(app, email, settings):
    settings.SIGNUP_OPEN = False

    assert app.sign_up(email).status_code == 403
    assert User.all_objects.count() == 0


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"email": "nobody"}, "email", "invalid"),
        ({"email": ""}, "email", "required"),
        ({"email": f"{'x' * 250}@example.com"}, "email", "max_length"),
        ({"email": 7}, "email", "invalid"),
        ({"name": ""}, "name", "required"),
        ({"name": "x" * 151}, "name", "max_length"),
        ({"password": ""}, "password", "required"),
        ({"password": "short"}, "password", "password_too_short"),
        ({"password": "password123"}, "password", "password_too_common"),
    ],
)
def test_a_bad_sign_up_names_its_field_and_makes_nobody(app, email, change, param, code):
    body = {"email": email, "name": "Ann", "password": PASSWORD} | change

    answer = app("post", "auth/signup", body)

    assert answer.status_code == 400
    assert (param, code) in codes_of(answer)
    assert (User.all_objects.count(), mail.outbox) == (0, [])


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"x"',
        b"\xff",
        b"[" * 100_000,
        b'{"email": "a@example.com", "name": "A\\u0000", "password": "correct horse"}',
        b'{"email": "a@example.com", "name": "A\\ud800", "password": "correct horse"}',
        b'{"email": "a@example.com", "email": "b@example.com"}',
    ],
)
def test_what_is_no_good_json_is_a_400(client, body):
    answer = client.post("/_allauth/app/v1/auth/signup", body, content_type="application/json")

    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    assert User.all_objects.count() == 0


def test_sign_ups_are_limited_by_address(app):
    for number in range(20):
        app.sign_up(f"nobody-{number}", password="")

    answer = app.sign_up("somebody@example.com")

    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert User.all_objects.count() == 0


def test_deleting_a_customer_frees_the_address_for_a_new_sign_up(app, new_app, email, no_cooldown):
    app.sign_up(email)
    app.verify(mailed_code(email))
    old = User.objects.get()
    services.customer_delete(user_id=old.pk)
    assert app.me().status_code == 401
    assert EmailAddress.objects.count() == 0

    second = new_app()
    assert pending(second.sign_up(email, name="Bea")) == ["verify_email"]
    assert second.verify(mailed_code(email)).status_code == 200

    assert second.me().json()["name"] == "Bea"
    with pytest.raises(EmailTaken, match="belongs to another customer by now"):
        services.customer_restore(user_id=old.pk)
    assert second.me().json()["name"] == "Bea"
    assert EmailAddress.objects.get().user.name == "Bea"


def test_a_row_deleted_behind_the_services_back_frees_it_too(app, new_app, email, no_cooldown):
    app.sign_up(email)
    app.verify(mailed_code(email))
    User.objects.get().delete()

    second = new_app()
    second.sign_up(email, name="Bea")

    assert second.verify(mailed_code(email)).status_code == 200


def test_a_restored_customer_need_not_confirm_again(app, email):
    app.sign_up(email)
    app.verify(mailed_code(email))
    user = User.objects.get()
    services.customer_delete(user_id=user.pk)
    services.customer_restore(user_id=user.pk)

    assert app.log_in(email).status_code == 200


def test_a_restored_customer_who_never_confirmed_still_must(app, email, no_cooldown):
    app.sign_up(email)
    user = User.objects.get()
    services.customer_delete(user_id=user.pk)
    services.customer_restore(user_id=user.pk)

    assert pending(app.log_in(email)) == ["verify_email"]


def test_an_imported_customer_takes_the_account_over_by_a_new_password(app, email):
    [imported] = facade.register_customers([RegisterCustomer(email, "Ann")]).values()
    assert "already" in _mail_of_sign_up(app, email)

    app("post", "auth/password/request", {"email": email})
    body = {"key": mailed_code(email), "password": PASSWORD}
    assert app("post", "auth/password/reset", body).status_code == 401

    assert app.log_in(email).status_code == 200
    assert app.me().json()["id"] == str(imported)


def _mail_of_sign_up(app, email: str) -> str:
    app.sign_up(email)
    return mail.outbox[-1].body


def test_mail_goes_to_files_where_no_server_is_named(app, email, settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")

    app.sign_up(email)

    [file] = Path(settings.EMAIL_FILE_PATH).iterdir()
    assert f"To: {email}" in file.read_text()


class BrokenBackend(EmailBackend):
    def send_messages(self, messages):
        raise smtplib.SMTPServerDisconnected("gone")


def test_a_mail_server_that_is_away_is_no_crash(app, new_app, email, settings, no_cooldown):
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.BrokenBackend"
    assert app.sign_up(email).status_code == 401
    answer = app.log_in(email)
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")

    settings.EMAIL_BACKEND = working
    phone = new_app()
    assert pending(phone.log_in(email)) == ["verify_email"]
    assert phone.verify(mailed_code(email)).status_code == 200
