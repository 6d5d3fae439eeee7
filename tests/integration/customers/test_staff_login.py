"""Staff enter with password and second factor; who owes one sets it up before anything opens."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings as project
from django.contrib.sessions.models import Session
from django.test import Client

from apps.customers import second_factor, services
from apps.customers.models import User
from apps.messaging.models import StaffChange
from tests.integration.customers.app import PASSWORD, totp

pytestmark = pytest.mark.django_db(databases=list(project.DATABASES))

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN, CODE, SET_UP = "/admin/login/", "/admin/login/code/", "/admin/second-factor/"
PAGE = "/admin/customers/user/"


@pytest.fixture
def boss(make_user, email) -> User:
    return make_user(email, PASSWORD, is_staff=True, is_superuser=True)


@pytest.fixture
def codes(boss) -> list[str]:
    """The boss's recovery codes; the app's secret is SECRET."""
    return second_factor.second_factor_activate(user_id=boss.pk, secret=SECRET)


def password_step(client: Client, user: User, target: str = PAGE):
    body = {"username": user.email, "password": PASSWORD, "next": target}
    return client.post(f"{LOGIN}?next={target}", body)


def code_step(client: Client, code: str, target: str = PAGE):
    return client.post(f"{CODE}?next={target}", {"code": code, "next": target})


def is_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


# --- logging in ----------------------------------------------------------------------------------
def test_without_a_second_factor_the_password_is_enough_where_none_is_required(client, boss):
    answer = password_step(client, boss)

    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert is_in(client)
    assert UserSession.objects.get().user_id == boss.pk


def test_with_a_second_factor_the_password_is_half_the_way(client, boss, codes):
    answer = password_step(client, boss)

    assert (answer.status_code, answer["Location"]) == (
        302,
        f"{CODE}?next=%2Fadmin%2Fcustomers%2Fuser%2F",
    )
    assert not is_in(client)
    assert client.get("/api/v1/me").status_code == 401
    assert UserSession.objects.count() == 0
    assert client.get(answer["Location"]).status_code == 200

    answer = code_step(client, totp(SECRET))

    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert is_in(client)
    assert UserSession.objects.get().user_id == boss.pk
    assert Authenticator.objects.get(type="totp").last_used_at is not None


def test_a_code_of_the_app_counts_once(client, new_client, boss, codes):
    code = totp(SECRET)
    password_step(client, boss)
    assert code_step(client, code).status_code == 302

    other = new_client()
    password_step(other, boss)
    assert b"Incorrect code" in code_step(other, code).content
    assert not is_in(other)


def test_a_recovery_code_counts_once(client, new_client, boss, codes):
    password_step(client, boss)
    assert code_step(client, codes[3]).status_code == 302
    assert is_in(client)

    other = new_client()
    password_step(other, boss)
    assert b"Incorrect code" in code_step(other, codes[3]).content
    assert not is_in(other)
    assert code_step(other, codes[4]).status_code == 302
    assert second_factor.recovery_codes_left(user_id=boss.pk) == 8


def test_wrong_codes_are_limited(client, boss, codes):
    password_step(client, boss)
    for _ in range(5):
        assert b"Incorrect code" in code_step(client, "000000").content

    answer = code_step(client, codes[0])

    assert b"Too many failed login attempts" in answer.content
    assert not is_in(client)


def test_the_code_page_is_for_those_who_gave_the_password(client, boss, codes):
    for answer in (client.get(CODE), code_step(client, codes[0])):
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, LOGIN)
    assert not is_in(client)


@pytest.mark.parametrize(
    "change",
    [
        lambda user: services.customer_delete(user_id=user.pk),
        lambda user: services.customer_update(user_id=user.pk, changes={"is_active": False}),
        lambda user: services.customer_update(user_id=user.pk, changes={"is_staff": False}),
        lambda user: services.customer_set_password(user_id=user.pk, password="a new password"),
    ],
)
def test_the_code_does_not_count_for_who_has_changed_meanwhile(client, boss, codes, change):
    password_step(client, boss)
    change(boss)

    assert code_step(client, codes[0])["Location"].partition("?")[0] == LOGIN
    assert not is_in(client)


def test_ten_minutes_later_one_starts_again(client, boss, codes, monkeypatch):
    password_step(client, boss)
    session = Session.objects.get()
    store = client.session
    store["staff_login_pending"] |= {"at": store["staff_login_pending"]["at"] - 601}
    store.save()

    assert code_step(client, codes[0])["Location"].partition("?")[0] == LOGIN
    assert Session.objects.get().pk == session.pk


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:x"])
def test_nobody_is_led_elsewhere(client, boss, codes, target):
    assert "evil" not in password_step(client, boss, target)["Location"]
    assert code_step(client, codes[0], target)["Location"] == "/admin/"


# --- who owes one --------------------------------------------------------------------------------
@pytest.fixture
def required(settings):
    settings.STAFF_MFA_REQUIRED = True


def follow(client: Client, path: str) -> list[str]:
    return [url for url, _ in client.get(path, follow=True).redirect_chain]


def secret_on(page) -> str:
    return re.search(rb"<code[^>]*>([A-Z2-7 ]+)</code>", page.content)[1].decode().replace(" ", "")


def test_who_owes_one_is_led_to_set_it_up_before_anything_opens(client, boss, required):
    password_step(client, boss)
    for path in ("/admin/", PAGE, "/admin/password_change/", "/admin/catalog/product/"):
        assert follow(client, path)[-1].partition("?")[0] == SET_UP

    page = client.get(f"{SET_UP}?next={PAGE}")
    assert b"<svg" in page.content
    secret = secret_on(page)
    wrong = client.post(SET_UP, {"code": "000000", "next": PAGE})
    assert b"This is not the code of this moment" in wrong.content
    assert secret_on(wrong) == secret
    done = client.post(SET_UP, {"code": totp(secret), "next": PAGE})

    shown = re.findall(r">(\d{8})<", done.content.decode())
    assert len(shown) == 10
    assert f'href="{PAGE}"'.encode() in done.content
    assert is_in(client)
    assert Authenticator.objects.filter(user=boss).count() == 2
    assert secret not in str(list(Authenticator.objects.values()))


def test_who_owes_one_is_no_staff_to_the_api_either(make_user, boss, required, client, app):
    app.log_in(boss.email)
    product = {"name": "Mug", "sku": "MUG", "price": {"amount": "1.00", "currency": "GBP"}}
    assert app("post", "/api/v1/products", product).status_code == 403

    app.set_up_second_factor()

    assert app("post", "/api/v1/products", product).status_code != 403


def test_who_owes_one_can_log_out(client, boss, required):
    password_step(client, boss)

    assert client.post(SET_UP, {"log_out": "1"})["Location"] == LOGIN
    assert client.get(SET_UP)["Location"].partition("?")[0] == LOGIN


def test_customers_owe_nothing_and_have_no_page(client, make_user, email, required, app):
    customer = make_user(email, PASSWORD)
    assert app.log_in(customer.email).status_code == 200
    assert app.me().status_code == 200

    client.force_login(customer)
    assert client.get(SET_UP)["Location"].partition("?")[0] == LOGIN


def test_an_unconfirmed_address_does_not_keep_staff_out(client, boss, required):
    services.customer_update(user_id=boss.pk, changes={"email": f"new-{boss.email}"})
    boss.refresh_from_db()
    password_step(client, boss)

    secret = secret_on(client.get(SET_UP))

    assert client.post(SET_UP, {"code": totp(secret)}).status_code == 200
    assert is_in(client)


# --- one's own -----------------------------------------------------------------------------------
def test_setting_up_late_in_a_session_takes_the_password(client, boss):
    client.force_login(boss)
    User.objects.filter(pk=boss.pk).update(last_login="2026-01-01T00:00Z")
    secret = secret_on(client.get(SET_UP))

    refused = client.post(SET_UP, {"code": totp(secret), "password": "wrong password"})
    assert b"This is not your password" in refused.content
    assert not Authenticator.objects.exists()
    assert client.post(SET_UP, {"code": totp(secret), "password": PASSWORD}).status_code == 200
    assert Authenticator.objects.count() == 2


def test_setting_up_ends_logins_made_with_the_password_alone(client, new_client, boss):
    other = new_client()
    password_step(other, boss)
    password_step(client, boss)

    client.post(SET_UP, {"code": totp(secret_on(client.get(SET_UP)))})

    assert is_in(client)
    assert not is_in(other)


def test_new_recovery_codes_replace_the_old(client, boss, codes):
    client.force_login(boss)
    page = client.get(SET_UP)
    assert b"Recovery codes left" in page.content
    assert b"<svg" not in page.content

    assert b"Incorrect code" in client.post(SET_UP, {"code": "1", "renew": "1"}).content
    fresh = client.post(SET_UP, {"code": totp(SECRET), "renew": "1"}).content.decode()

    fresh = re.findall(r">(\d{8})<", fresh)
    assert len(fresh) == 10
    assert not set(fresh) & set(codes)
    assert [c.action for c in StaffChange.objects.using("default")][-1] == "renew_recovery_codes"


def test_it_is_removed_with_a_code_unless_it_is_required(client, boss, codes, settings):
    client.force_login(boss)
    settings.STAFF_MFA_REQUIRED = True
    assert b"Remove and log out" not in client.get(SET_UP).content
    client.post(SET_UP, {"code": codes[0], "remove": "1"})
    assert Authenticator.objects.filter(type="totp").exists()

    settings.STAFF_MFA_REQUIRED = False
    client.post(SET_UP, {"code": totp(SECRET), "remove": "1"})

    assert not Authenticator.objects.exists()
    assert not is_in(client)


# --- of others -----------------------------------------------------------------------------------
def remove_of(client: Client, user: User):
    return client.post(
        f"/admin/customers/user/{user.pk}/remove_second_factor/", {"_form_submitted": "on"}
    )


def test_a_superuser_helps_who_has_lost_the_phone(client, new_client, make_user, boss, codes):
    root = make_user(password=PASSWORD, is_staff=True, is_superuser=True)
    client.force_login(root)
    assert b"Remove second factor" in client.get(f"{PAGE}{boss.pk}/change/").content

    remove_of(client, boss)

    assert not Authenticator.objects.exists()
    [change] = StaffChange.objects.using("default").filter(action="remove_second_factor")
    assert (change.actor_id, change.subject_id) == (str(root.public_id), str(boss.public_id))
    other = new_client()
    password_step(other, boss)
    assert is_in(other)


def test_who_may_not_manage_someone_cannot_remove_theirs(client, make_user, boss, codes):
    clerk = make_user(password=PASSWORD, is_staff=True)
    client.force_login(clerk)

    assert remove_of(client, boss).status_code in (302, 403)

    assert Authenticator.objects.filter(user=boss).count() == 2


def test_no_page_shows_a_secret(client, boss, codes):
    client.force_login(boss)
    for row in Authenticator.objects.all():
        page = client.get(f"/admin/mfa/authenticator/{row.pk}/change/").content.decode()
        assert "secret" not in page
        assert str(row.data) not in page
