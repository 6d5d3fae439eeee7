"""Registering many customers at once."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.common.errors import InvalidInput
from apps.customers import facade, services
from apps.customers.contracts import Address, RegisterCustomer
from apps.customers.models import Address as AddressRow
from apps.customers.models import User

pytestmark = pytest.mark.django_db

HOME = Address(name="Ann", line1="1 High St", city="Ely", country="gb")


def many(count: int) -> list[RegisterCustomer]:
    return [RegisterCustomer(f"c{n}@example.com", f"Customer {n}", HOME) for n in range(count)]


def test_everyone_gets_an_account_that_cannot_log_in_and_a_default_address():
    ids = facade.register_customers(many(3))

    users = User.objects.order_by("id")
    assert [user.public_id for user in users] == [ids[f"c{n}@example.com"] for n in range(3)]
    assert not any(user.has_usable_password() for user in users)
    assert AddressRow.objects.filter(is_default=True, country="GB").count() == 3


def test_a_repeat_changes_nothing():
    first = facade.register_customers(many(3))
    changed = [RegisterCustomer(c.email.upper(), "Another name", HOME) for c in many(3)]

    again = facade.register_customers(changed)

    assert list(again.values()) == list(first.values())
    assert list(again) == ["C0@EXAMPLE.COM", "C1@EXAMPLE.COM", "C2@EXAMPLE.COM"]
    assert User.objects.count() == AddressRow.objects.count() == 3
    assert set(User.objects.values_list("name", flat=True)) == {
        "Customer 0",
        "Customer 1",
        "Customer 2",
    }


def test_the_same_customer_twice_in_one_call_is_one_customer():
    ids = facade.register_customers(
        [RegisterCustomer("ann@example.com", "Ann"), RegisterCustomer("ANN@example.com", "Anna")]
    )

    assert ids["ann@example.com"] == ids["ANN@example.com"] == User.objects.get().public_id
    assert User.objects.get().name == "Ann"


def test_a_deleted_customer_is_not_found_but_registered_anew(make_user):
    old = make_user("c0@example.com")
    services.customer_delete(user_id=old.pk)

    [new_id] = facade.register_customers(many(1)).values()

    assert new_id == User.objects.get().public_id != old.public_id


def test_bad_customers_are_named_and_nobody_is_registered():
    bad = Address(name="", line1="1", city="Ely", country="XX")
    customers = [*many(1), RegisterCustomer("nobody", "", bad)]

    with pytest.raises(InvalidInput) as refusal:
        facade.register_customers(customers)

    assert [(error.field, error.code) for error in refusal.value.errors] == [
        ("[1].email", "email"),
        ("[1].name", "required"),
        ("[1].address.name", "required"),
        ("[1].address.country", "country"),
    ]
    assert User.all_objects.count() == 0


def test_nobody_is_fine():
    assert facade.register_customers([]) == {}


def test_a_years_customers_take_five_statements():
    customers = many(4_400)

    with CaptureQueriesContext(connections["default"]) as queries:
        assert len(facade.register_customers(customers)) == 4_400

    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 5
