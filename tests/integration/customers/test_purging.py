"""Accounts and addresses go for good after their time; sessions when they are over."""

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.test import Client

from apps.common.actor import Actor, acting
from apps.common.databases import execute
from apps.common.errors import Conflict, NotFound
from apps.customers import addresses, jobs, purging, services
from apps.customers.contracts import Address
from apps.customers.models import Address as AddressRow
from apps.customers.models import User
from apps.messaging.models import StaffChange
from tests.trade import Trade

pytestmark = pytest.mark.django_db(databases="__all__")
HOME = Address("Ada", "1 High St", "Ely", "GB")


def customer(email: str = "ada@example.com", *, deleted_days: float | None = None) -> User:
    user = services.customer_create(email=email, name="Ada", password="a long secret")
    addresses.address_create(user_id=user.pk, address=HOME)
    if deleted_days is not None:
        services.customer_delete(user_id=user.pk)
        age("customers_user", user.pk, deleted_days)
    return user


def age(table: str, pk: int, days: float) -> None:
    execute(
        "default",
        f"UPDATE {table} SET deleted = now() - make_interval(secs => %s) WHERE id = %s",
        [days * 86_400, pk],
    )


def test_a_deleted_account_goes_with_all_that_is_its_own():
    user = customer(deleted_days=31)
    UserSession.objects.create(user_id=user.pk, ip="::1", session_key="x", user_agent="x")
    assert purging.customers_purge(days=30) == 1
    for model in (User.all_objects, AddressRow.all_objects, EmailAddress.objects):
        assert model.count() == 0
    assert UserSession.objects.count() == 0
    assert purging.customers_purge(days=30) == 0


def test_the_living_and_the_lately_deleted_stay():
    customer("a@example.com")
    customer("b@example.com", deleted_days=29.9)
    assert purging.customers_purge(days=30) == 0
    assert User.all_objects.count() == 2


def test_who_ever_ordered_stays(gateway):
    trade = Trade()
    trade.place(MUG=1)
    user = User.objects.get(public_id=trade.customer_id)
    services.customer_delete(user_id=user.pk)
    age("customers_user", user.pk, 99)
    assert purging.customers_purge(days=30) == 0
    execute("orders", "DELETE FROM orders_orderline")
    execute("orders", "DELETE FROM payments_payment")
    execute("orders", "DELETE FROM orders_order")
    assert purging.customers_purge(days=30) == 1


def test_a_person_purges_one_deleted_account_and_leaves_a_note():
    user = customer(deleted_days=0)
    with acting(lambda: Actor("7", "Ann")):
        purging.customer_purge(user_id=user.pk)
    assert not User.all_objects.filter(pk=user.pk).exists()
    assert AddressRow.all_objects.count() == EmailAddress.objects.count() == 0
    [note] = StaffChange.objects.using("default").filter(action="purge")
    assert (note.actor_name, note.before["email"]) == ("Ann", "ada@example.com")


def test_neither_the_living_nor_buyers_are_purged_by_hand(gateway):
    trade = Trade()
    trade.place(MUG=1)
    user = User.objects.get(public_id=trade.customer_id)
    with pytest.raises(Conflict, match="Only a deleted"):
        purging.customer_purge(user_id=user.pk)
    services.customer_delete(user_id=user.pk)
    with pytest.raises(Conflict, match="Orders"):
        purging.customer_purge(user_id=user.pk)
    with pytest.raises(NotFound):
        purging.customer_purge(user_id=user.pk + 1)
    assert User.all_objects.filter(pk=user.pk).exists()


def test_a_person_purges_a_deleted_address_only():
    user = customer()
    [row] = AddressRow.objects.filter(user=user)
    with pytest.raises(NotFound):
        purging.address_purge(address_id=row.pk)
    addresses.address_delete(address_id=row.pk)
    purging.address_purge(address_id=row.pk)
    assert AddressRow.all_objects.count() == 0


def test_who_stands_in_the_log_of_the_back_office_stays():
    user = customer(deleted_days=99)
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(User),
        object_id="1",
        object_repr="x",
        action_flag=CHANGE,
        change_message="[]",
    )
    assert purging.customers_purge(days=30) == 0
    assert LogEntry.objects.count() == 1


def test_those_that_stay_do_not_keep_the_others_from_going():
    for number in range(7):
        user = customer(f"p{number}@example.com", deleted_days=99)
        if number < 3:
            LogEntry.objects.create(user_id=user.pk, action_flag=CHANGE, change_message="[]")
    assert purging.customers_purge(days=30, size=2) == 4
    assert User.all_objects.count() == 3


def test_addresses_go_though_their_customer_lives():
    user = customer()
    old = addresses.address_create(user_id=user.pk, address=HOME)
    addresses.address_delete(address_id=old.pk)
    age("customers_address", old.pk, 31)
    assert purging.addresses_purge(days=30, most=10) == 1
    assert AddressRow.all_objects.count() == 1


def test_the_job_says_what_went(settings):
    settings.RETENTION_DAYS = 30
    customer(deleted_days=31)
    age("customers_address", AddressRow.all_objects.get().pk, 31)
    assert jobs.purge_customers.function() == {"addresses": 1, "customers": 1}
    assert jobs.purge_customers.function() == {"addresses": 0, "customers": 0}


def test_sessions_that_are_over_go_and_their_logins_with_them():
    keys = []
    for number in range(3):
        user = customer(f"s{number}@example.com")
        client = Client()
        client.force_login(user)
        keys.append(client.session.session_key)
        UserSession.objects.create(user_id=user.pk, ip="::1", session_key=keys[-1], user_agent="x")
    execute("default", "UPDATE usersessions_usersession SET created_at = now() - interval '2 h'")
    over, gone, _ = keys
    execute(
        "default",
        "UPDATE django_session SET expire_date = now() - interval '1 s' WHERE session_key = %s",
        [over],
    )
    Session.objects.filter(session_key=gone).delete()
    assert jobs.clear_sessions.function() == {"sessions": 1, "logins": 2}
    assert [one.session_key for one in UserSession.objects.all()] == keys[2:]
    assert [one.session_key for one in Session.objects.all()] == keys[2:]


def test_a_login_that_has_just_begun_stays():
    user = customer()
    UserSession.objects.create(user_id=user.pk, ip="::1", session_key="new", user_agent="x")
    assert purging.logins_clear(most=10) == 0
