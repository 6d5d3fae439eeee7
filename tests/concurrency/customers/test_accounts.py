"""Several at once on one account: one of two edits wins, one of two sign-ups gets the address."""

import threading
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.db import connections
from django.test import Client

from apps.common.errors import VersionConflict
from apps.customers import accounts, addresses, second_factor, services
from apps.customers.contracts import Address
from apps.customers.errors import EmailTaken, SecondFactorExists, TooManyAddresses
from apps.customers.models import Address as AddressRow
from apps.customers.models import User
from tests.integration.customers.app import PASSWORD, App, totp

pytestmark = pytest.mark.django_db(transaction=True)

HOME = Address(name="Ann", line1="1 High St", city="Ely", country="GB")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
REFUSALS = (EmailTaken, VersionConflict, TooManyAddresses, SecondFactorExists)


def together(*commands: Callable[[], object]) -> list[object]:
    """Runs all commands at the same moment, each on its own connection; results or refusals."""
    results: list[object] = [None] * len(commands)
    start = threading.Barrier(len(commands))

    def run(index: int) -> None:
        try:
            start.wait(timeout=10)
            results[index] = commands[index]()
        except REFUSALS as error:
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


def refused(results: list[object], error: type[Exception]) -> int:
    return sum(isinstance(result, error) for result in results)


@pytest.fixture
def ann() -> User:
    return services.customer_create(email="ann@example.com", name="Ann", password=PASSWORD)


def test_of_several_edits_of_one_version_one_is_written(ann):
    row = addresses.address_create(user_id=ann.pk, address=HOME)

    results = together(
        *[
            lambda city=city: addresses.address_change(
                address_id=row.pk, changes={"city": city}, version=1
            )
            for city in ("Bath", "Wells", "York", "Hull")
        ]
    )

    assert refused(results, VersionConflict) == 3
    [written] = [result for result in results if isinstance(result, AddressRow)]
    stored = AddressRow.objects.get()
    assert (stored.city, stored.version) == (written.city, 2)


def test_without_versions_all_are_written_and_counted(ann):
    """The control: the same edits, none of which says what it has seen."""
    row = addresses.address_create(user_id=ann.pk, address=HOME)

    results = together(
        *[
            lambda: addresses.address_change(address_id=row.pk, changes={"city": "Bath"})
            for _ in range(4)
        ]
    )

    assert refused(results, VersionConflict) == 0
    assert AddressRow.objects.get().version == 5
    assert User.objects.get().version == 6


def test_of_several_new_names_for_one_version_one_is_written(ann):
    results = together(
        *[
            lambda name=name: services.customer_update(
                user_id=ann.pk, changes={"name": name}, version=1
            )
            for name in ("Anna", "Hanna", "Joan")
        ]
    )

    assert refused(results, VersionConflict) == 2
    assert User.objects.get().version == 2


def test_no_crowd_gets_past_fifty_addresses(ann):
    for _ in range(48):
        addresses.address_create(user_id=ann.pk, address=HOME)

    results = together(
        *[lambda: addresses.address_create(user_id=ann.pk, address=HOME) for _ in range(4)]
    )

    assert refused(results, TooManyAddresses) == 2
    assert AddressRow.objects.count() == 50


def test_of_several_sign_ups_with_one_address_one_gets_it():
    results = together(
        *[
            lambda: accounts.customer_sign_up(email="a@example.com", name="A", password=PASSWORD)
            for _ in range(4)
        ]
    )

    assert refused(results, EmailTaken) == 3
    assert User.objects.count() == 1


def test_sign_ups_at_the_same_moment_are_answered_without_a_crash():
    apps = [App(Client(REMOTE_ADDR=f"10.9.8.{number}")) for number in range(4)]

    answers = together(*[lambda app=app: app.sign_up("new@example.com") for app in apps])

    # 401: go on with the mailed code, which one of them has; 409: somebody was a moment faster;
    # 429: a moment later still, when the code had been sent (see the next test).
    assert {answer.status_code for answer in answers} <= {401, 409, 429}
    assert 401 in {answer.status_code for answer in answers}
    assert (User.objects.count(), EmailAddress.objects.count()) == (1, 1)


def test_an_address_that_was_just_sent_a_code_is_not_sent_another():
    first, second = (
        App(Client(REMOTE_ADDR=f"10.9.6.{number}")).sign_up("twice@example.com")
        for number in range(2)
    )

    assert (first.status_code, second.status_code) == (401, 429)
    assert int(second["Retry-After"]) > 0
    assert User.objects.count() == 1


def test_a_restore_and_a_sign_up_do_not_both_get_the_address(ann):
    services.customer_delete(user_id=ann.pk)

    results = together(
        lambda: services.customer_restore(user_id=ann.pk),
        lambda: accounts.customer_sign_up(email=ann.email, name="New", password=PASSWORD),
    )

    assert refused(results, EmailTaken) == 1
    assert User.objects.filter(email=ann.email).count() == 1


def test_one_recovery_code_opens_one_of_several_logins(ann):
    codes = second_factor.second_factor_activate(user_id=ann.pk, secret=SECRET)
    apps = [App(Client(REMOTE_ADDR=f"10.9.7.{number}")) for number in range(3)]
    for app in apps:
        app.log_in(ann.email)

    answers = together(
        *[lambda app=app: app("post", "auth/2fa/authenticate", {"code": codes[0]}) for app in apps]
    )

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400]
    assert second_factor.recovery_codes_left(user_id=ann.pk) == 9


def test_one_code_of_the_app_opens_one_of_several_logins(ann):
    second_factor.second_factor_activate(user_id=ann.pk, secret=SECRET)
    apps = [App(Client(REMOTE_ADDR=f"10.9.6.{number}")) for number in range(3)]
    for app in apps:
        app.log_in(ann.email)
    code = totp(SECRET)

    answers = together(
        *[lambda app=app: app("post", "auth/2fa/authenticate", {"code": code}) for app in apps]
    )

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400]


def test_a_second_factor_is_set_up_once(ann):
    results = together(
        *[lambda: second_factor.second_factor_activate(user_id=ann.pk, secret=SECRET)] * 3
    )

    assert refused(results, SecondFactorExists) == 2
    assert second_factor.recovery_codes_left(user_id=ann.pk) == 10
