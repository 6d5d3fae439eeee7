"""Several at once: one living customer per e-mail address, one default address."""

import threading
from collections.abc import Callable
from dataclasses import asdict

import pytest
from django.db import IntegrityError, connections

from apps.customers import addresses, facade, services
from apps.customers.contracts import Address, RegisterCustomer
from apps.customers.errors import EmailTaken
from apps.customers.models import Address as AddressRow
from apps.customers.models import User

pytestmark = pytest.mark.django_db(transaction=True)

HOME = Address(name="Ann", line1="1 High St", city="Ely", country="GB")


def together(*commands: Callable[[], object]) -> list[object]:
    """Runs all commands at the same moment, each on its own connection; results or errors."""
    results: list[object] = [None] * len(commands)
    start = threading.Barrier(len(commands))

    def run(index: int) -> None:
        try:
            start.wait(timeout=10)
            results[index] = commands[index]()
        except (EmailTaken, IntegrityError) as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[index]) for index in range(len(commands))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()
    return results


def test_registrations_of_the_same_customers_agree_on_their_ids():
    emails = [f"c{number}@example.com" for number in range(200)]
    forwards = [RegisterCustomer(email, "Ann", HOME) for email in emails]

    found = together(
        *[lambda: facade.register_customers(forwards)] * 2,
        *[lambda: facade.register_customers(forwards[::-1])] * 2,
    )

    assert all(ids == found[0] for ids in found)
    assert User.objects.count() == AddressRow.objects.count() == 200


def test_one_of_several_creations_with_one_email_wins():
    results = together(*[lambda: services.customer_create(email="ann@example.com", name="Ann")] * 4)

    assert sum(isinstance(result, EmailTaken) for result in results) == 3
    assert User.objects.count() == 1


def test_one_of_several_restores_with_one_email_wins():
    ids = []
    for _ in range(3):
        user = services.customer_create(email="ann@example.com", name="Ann")
        services.customer_delete(user_id=user.pk)
        ids.append(user.pk)

    results = together(
        *[lambda pk=pk: services.customer_restore(user_id=pk) for pk in ids],
    )

    assert sum(isinstance(result, EmailTaken) for result in results) == 2
    assert User.objects.count() == 1
    assert User.deleted_objects.count() == 2


def test_without_the_customers_lock_two_defaults_meet():
    """The control: what ``address_create`` does, without its lock, breaks on the constraint."""
    user = services.customer_create(email="ann@example.com", name="Ann")
    read = threading.Barrier(2)

    def unlocked() -> AddressRow:
        first = not AddressRow.objects.filter(user=user, is_default=True).exists()
        read.wait(timeout=10)
        return AddressRow.objects.create(user=user, is_default=first, **asdict(HOME))

    results = together(unlocked, unlocked)

    assert sorted(type(result).__name__ for result in results) == ["Address", "IntegrityError"]


def test_several_defaults_chosen_at_once_leave_one():
    user = services.customer_create(email="ann@example.com", name="Ann")

    together(
        *[
            lambda: addresses.address_create(user_id=user.pk, address=HOME, make_default=True)
            for _ in range(4)
        ]
    )

    assert AddressRow.objects.filter(user=user).count() == 4
    assert AddressRow.objects.filter(user=user, is_default=True).count() == 1
