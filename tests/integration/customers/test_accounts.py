"""Accounts: one living customer per e-mail address; deleting frees it, restoring claims it."""

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.common.errors import InvalidInput
from apps.customers import facade, services
from apps.customers.contracts import Address, Login
from apps.customers.errors import CustomerNotFound, EmailTaken
from apps.customers.models import User
from project import settings as project_settings
from tests.integration.customers.conftest import PASSWORD

pytestmark = pytest.mark.django_db

HOME = Address(name="Ann", line1="1 High St", city="Ely", country="GB")


def test_an_email_is_stored_in_lower_case(make_user):
    assert make_user("  Ann@Example.COM").email == "ann@example.com"


def test_an_email_is_unique_among_the_living_whatever_its_case(make_user):
    make_user("ann@example.com")

    with pytest.raises(EmailTaken):
        make_user("ANN@example.com")

    assert User.all_objects.count() == 1


def test_the_database_itself_refuses_a_second_living_one(make_user):
    make_user("ann@example.com")

    with pytest.raises(IntegrityError, match="customers_email_once_among_living"):
        User(email="ann@example.com", name="Other").save()


def test_the_database_itself_refuses_capitals():
    with pytest.raises(IntegrityError, match="customers_email_is_lower_case"):
        User(email="Ann@example.com", name="Ann").save()


def test_a_deleted_customers_email_can_be_used_again(make_user):
    first = make_user("ann@example.com", PASSWORD)
    services.customer_delete(user_id=first.pk)

    second = make_user("Ann@example.com", PASSWORD)

    assert User.objects.get() == second
    assert User.deleted_objects.get() == first
    assert EmailAddress.objects.get().user_id == second.pk


def test_deleting_twice_changes_nothing(make_user):
    user = make_user()
    services.customer_delete(user_id=user.pk)
    deleted = User.deleted_objects.get().deleted

    services.customer_delete(user_id=user.pk)

    assert User.deleted_objects.get().deleted == deleted
    with pytest.raises(CustomerNotFound):
        services.customer_delete(user_id=user.pk + 1)


def test_a_restored_customer_has_everything_back(make_user):
    user = make_user("ann@example.com", PASSWORD)
    services.customer_delete(user_id=user.pk)
    assert EmailAddress.objects.count() == 0

    services.customer_restore(user_id=user.pk)

    restored = User.objects.get()
    assert restored.check_password(PASSWORD)
    claimed = EmailAddress.objects.get()
    assert (claimed.user_id, claimed.email, claimed.primary) == (user.pk, "ann@example.com", True)


def test_restoring_says_visibly_that_the_email_is_taken(make_user):
    first = make_user("ann@example.com", PASSWORD)
    services.customer_delete(user_id=first.pk)
    second = make_user("ann@example.com", PASSWORD)

    with pytest.raises(EmailTaken, match=r"ann@example.com belongs to another customer by now"):
        services.customer_restore(user_id=first.pk)

    assert User.objects.get() == second
    assert EmailAddress.objects.get().user_id == second.pk


def test_only_the_deleted_can_be_restored(make_user):
    user = make_user()

    with pytest.raises(CustomerNotFound):
        services.customer_restore(user_id=user.pk)


def test_an_update_writes_its_fields_alone(make_user):
    user = make_user("ann@example.com", PASSWORD)
    User.objects.filter(pk=user.pk).update(is_active=False)

    services.customer_update(user_id=user.pk, changes={"name": "Anna"})

    row = User.objects.get()
    assert (row.name, row.is_active) == ("Anna", False)


def test_a_new_email_is_claimed_unverified(make_user):
    user = make_user("ann@example.com", PASSWORD)

    services.customer_update(user_id=user.pk, changes={"email": "ANNA@example.com"})

    assert User.objects.get().email == "anna@example.com"
    claimed = EmailAddress.objects.get()
    assert (claimed.email, claimed.verified) == ("anna@example.com", False)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"email": "bob@example.com"}, EmailTaken),
        ({"email": "nobody"}, InvalidInput),
        ({"name": ""}, InvalidInput),
        ({"name": "x" * 151}, InvalidInput),
        ({"name": "A\x00"}, InvalidInput),
    ],
)
def test_a_refused_update_changes_nothing(make_user, changes, error):
    make_user("bob@example.com")
    user = make_user("ann@example.com")

    with pytest.raises(error):
        services.customer_update(user_id=user.pk, changes=changes)

    row = User.objects.get(pk=user.pk)
    assert (row.email, row.name) == ("ann@example.com", "Ann")


def test_a_deleted_account_cannot_be_edited(make_user):
    user = make_user()
    services.customer_delete(user_id=user.pk)

    with pytest.raises(CustomerNotFound):
        services.customer_update(user_id=user.pk, changes={"name": "Anna"})
    with pytest.raises(CustomerNotFound):
        services.customer_set_password(user_id=user.pk, password=PASSWORD)


def test_natural_keys_find_the_living_only(make_user):
    user = make_user("ann@example.com")
    assert User.objects.get_by_natural_key("ANN@example.com") == user

    services.customer_delete(user_id=user.pk)
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key("ann@example.com")


def test_the_superuser_command_makes_staff_and_refuses_a_taken_email():
    root = User.objects.create_superuser("root@example.com", PASSWORD, name="Root")
    assert (root.is_staff, root.is_superuser) == (True, True)

    with pytest.raises(ValidationError), transaction.atomic(using="default"):
        User.objects.create_superuser("ROOT@example.com", PASSWORD, name="Root")


def test_passwords_are_hashed_by_argon2(make_user, settings):
    settings.PASSWORD_HASHERS = project_settings.PASSWORD_HASHERS

    assert make_user(password=PASSWORD).password.startswith("argon2$argon2id$v=19$m=102400,")


def test_a_login_is_made_once_and_then_kept():
    first = facade.create_login("Staff@example.com", "Staff", PASSWORD, True)
    again = facade.create_login("staff@example.com", "Other", "another password", True)

    user = User.objects.get()
    assert first == Login(user.public_id, "staff@example.com", created=True)
    assert again == Login(user.public_id, "staff@example.com", created=False)
    assert (user.name, user.is_staff, user.is_superuser) == ("Staff", True, True)
    assert user.check_password(PASSWORD)


def test_a_customers_login_comes_with_an_address():
    login = facade.create_login("ann@example.com", "Ann", PASSWORD, False, HOME)

    user = User.objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)
    address = user.addresses.get()
    assert address.is_default
    assert facade.get_address(login.customer_id, address.public_id) == HOME


def test_an_imported_customer_gets_a_password_and_stays_the_same(make_user):
    imported = make_user("ann@example.com")

    login = facade.create_login("ann@example.com", "Ann", PASSWORD, False)

    assert login == Login(imported.public_id, "ann@example.com", created=True)
    assert User.objects.get().check_password(PASSWORD)


def test_a_customer_is_never_turned_into_staff_by_a_login(make_user):
    make_user("ann@example.com", PASSWORD)

    with pytest.raises(EmailTaken):
        facade.create_login("ann@example.com", "Ann", PASSWORD, True)

    assert not User.objects.get().is_staff


def test_customers_are_known_by_their_public_id_while_they_live(make_user):
    user = make_user("ann@example.com")
    found = facade.get_customer(user.public_id)
    assert (found.customer_id, found.email, found.name) == (user.public_id, user.email, "Ann")

    services.customer_delete(user_id=user.pk)
    assert facade.get_customer(user.public_id) is None
