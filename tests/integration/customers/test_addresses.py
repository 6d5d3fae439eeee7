"""Addresses: a customer's own, one of them the default."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import IntegrityError

from apps.common.errors import InvalidInput
from apps.customers import addresses, facade, services
from apps.customers.contracts import Address
from apps.customers.errors import AddressNotFound, CustomerNotFound
from apps.customers.models import Address as AddressRow

pytestmark = pytest.mark.django_db

HOME = Address(name="Ann", line1="1 High St", city="Ely", country="GB")
WORK = replace(HOME, line1="2 Low St")


@pytest.fixture
def ann(make_user):
    return make_user()


def defaults(user):
    return [row.line1 for row in AddressRow.objects.filter(user=user, is_default=True)]


def test_the_first_address_is_the_default(ann):
    addresses.address_create(user_id=ann.pk, address=HOME)
    addresses.address_create(user_id=ann.pk, address=WORK)

    assert defaults(ann) == ["1 High St"]


def test_another_can_be_made_the_default(ann):
    addresses.address_create(user_id=ann.pk, address=HOME)
    work = addresses.address_create(user_id=ann.pk, address=WORK)
    addresses.address_make_default(address_id=work.pk)
    assert defaults(ann) == ["2 Low St"]

    addresses.address_create(user_id=ann.pk, address=HOME, make_default=True)
    assert defaults(ann) == ["1 High St"]


def test_the_database_itself_refuses_two_defaults(ann):
    addresses.address_create(user_id=ann.pk, address=HOME)

    with pytest.raises(IntegrityError, match="customers_one_default_address"):
        AddressRow.objects.create(
            user=ann, name="A", line1="1", city="Ely", country="GB", is_default=True
        )


def test_a_correction_is_validated_and_writes_the_address_alone(ann):
    row = addresses.address_create(user_id=ann.pk, address=HOME)
    with pytest.raises(InvalidInput):
        addresses.address_update(address_id=row.pk, address=replace(HOME, country="XX"))

    addresses.address_update(address_id=row.pk, address=WORK)

    assert facade.get_address(ann.public_id, row.public_id) == WORK
    assert defaults(ann) == ["2 Low St"]


def test_a_deleted_default_comes_back_as_an_ordinary_address(ann):
    home = addresses.address_create(user_id=ann.pk, address=HOME)
    addresses.address_delete(address_id=home.pk)
    assert facade.get_address(ann.public_id, home.public_id) is None
    work = addresses.address_create(user_id=ann.pk, address=WORK)

    addresses.address_restore(address_id=home.pk)

    assert defaults(ann) == [work.line1]
    assert facade.get_address(ann.public_id, home.public_id) == HOME


def test_what_is_deleted_or_unknown_cannot_be_changed(ann):
    row = addresses.address_create(user_id=ann.pk, address=HOME)
    with pytest.raises(AddressNotFound):
        addresses.address_restore(address_id=row.pk)
    addresses.address_delete(address_id=row.pk)

    for change in (
        lambda: addresses.address_update(address_id=row.pk, address=WORK),
        lambda: addresses.address_make_default(address_id=row.pk),
        lambda: addresses.address_delete(address_id=row.pk),
    ):
        with pytest.raises(AddressNotFound):
            change()


def test_another_customers_address_is_none(ann, make_user):
    row = addresses.address_create(user_id=ann.pk, address=HOME)
    bob = make_user()

    assert facade.get_address(ann.public_id, row.public_id) == HOME
    assert facade.get_address(bob.public_id, row.public_id) is None
    assert facade.get_address(ann.public_id, uuid4()) is None


def test_a_deleted_customers_addresses_go_and_come_back_with_them(ann):
    row = addresses.address_create(user_id=ann.pk, address=HOME)
    services.customer_delete(user_id=ann.pk)
    assert facade.get_address(ann.public_id, row.public_id) is None
    with pytest.raises(CustomerNotFound):
        addresses.address_create(user_id=ann.pk, address=WORK)

    services.customer_restore(user_id=ann.pk)
    assert facade.get_address(ann.public_id, row.public_id) == HOME
