"""What each change of a customer tells, whichever way it is made."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

from apps.common.correlation import request_id_bound
from apps.common.errors import VersionConflict
from apps.customers import addresses, facade, purging, services, trash
from apps.customers.contracts import Address, RegisterCustomer
from apps.customers.errors import EmailTaken
from apps.customers.event_contracts import CustomerCreated, CustomerDeleted, CustomerState
from apps.customers.models import User
from tests.integration.customers.app import PASSWORD, mailed_code
from tests.told import listening

pytestmark = pytest.mark.django_db(databases=["default", "orders"])
HOME = Address(name="Ann", line1="1 High St", city="Ely", country="GB")


def state(user: User, **other) -> CustomerState:
    """The customer as they are told of, with ``other`` values."""
    values = {
        "customer_id": user.public_id,
        "email": user.email,
        "name": user.name,
        "active": user.is_active,
        "staff": user.is_staff,
        "buys_on_account": user.buys_on_account,
    }
    return CustomerState(**values | other)


def test_an_account_is_told_of_from_its_making_to_its_end(make_user, email):
    with listening("default") as told, request_id_bound("r1"):
        ann = make_user(email, PASSWORD)
        services.customer_update(user_id=ann.pk, changes={"name": "Anne"})
        services.customer_update(user_id=ann.pk, changes={"buys_on_account": True})
        addresses.address_create(user_id=ann.pk, address=HOME)
        services.customer_delete(user_id=ann.pk)
        services.customer_delete(user_id=ann.pk)
        trash.customer_restore(ann.pk)
        services.customer_delete(user_id=ann.pk)
        purging.customer_purge(user_id=ann.pk)
    who = ann.public_id
    trusted = state(ann, name="Anne", buys_on_account=True)
    assert told.facts == [
        ("customer.created", CustomerCreated(who, email, "Ann", True, False, False, False)),
        ("customer.updated", state(ann, name="Anne")),
        ("customer.updated", trusted),
        ("customer.deleted", CustomerDeleted(who, email, "Anne")),
        ("customer.restored", trusted),
        ("customer.deleted", CustomerDeleted(who, email, "Anne")),
    ]
    assert [one.version for one in told] == [1, 2, 3, 5, 6, 7]  # 4 is the address
    assert {one.aggregate for one in told} == {f"customer:{who}"}
    assert {one.correlation_id for one in told} == {"r1"}


def test_what_tells_nothing_new_or_is_refused_is_not_told(make_user):
    ann = make_user(password=PASSWORD)
    bob = make_user()
    services.customer_delete(user_id=bob.pk)
    taken = make_user(bob.email)
    with listening("default") as told:
        services.customer_update(user_id=ann.pk, changes={"name": "Ann", "groups": []})
        services.customer_set_password(user_id=ann.pk, password="another quiet word 7")
        with pytest.raises(VersionConflict):
            services.customer_update(user_id=ann.pk, changes={"name": "A"}, version=9)
        with pytest.raises(EmailTaken):
            services.customer_update(user_id=ann.pk, changes={"email": taken.email})
        with pytest.raises(EmailTaken):
            services.customer_restore(user_id=bob.pk)
        with pytest.raises(RuntimeError), transaction.atomic(using="default"):
            services.customer_delete(user_id=ann.pk)
            raise RuntimeError
    assert told == []


def test_registering_many_tells_of_the_new_ones(make_user, email):
    make_user(email)
    wanted = [RegisterCustomer(f"{n}{email}", f"Person {n}", HOME) for n in range(3)]
    with listening("default") as told:
        ids = facade.register_customers([RegisterCustomer(email, "Ann"), *wanted])
        facade.register_customers(wanted)
    assert told.facts == [
        (
            "customer.created",
            CustomerCreated(ids[one.email], one.email, one.name, True, False, False, False),
        )
        for one in wanted
    ]


def test_a_login_for_somebody_is_told_of_once(email):
    with listening("default") as told:
        for _ in range(2):
            facade.create_login(email, "Ann", PASSWORD, staff=True)
    [(topic, payload)] = told.facts
    assert (topic, payload.staff, payload.signed_up) == ("customer.created", True, False)


def test_who_signs_up_is_told_of_and_confirming_the_address_is_not_a_change(app, email):
    with listening("default") as told:
        app.sign_up(email, name="Ann Lee")
        assert app.verify(mailed_code(email)).status_code == 200
    ann = User.objects.get()
    assert told.facts == [
        (
            "customer.created",
            CustomerCreated(ann.public_id, email, "Ann Lee", True, False, False, True),
        )
    ]
    assert told[0].correlation_id != ""


def test_a_new_address_is_told_when_it_is_confirmed(app, make_user, email):
    ann, to = make_user(email, PASSWORD), f"new-{email}"
    assert app.log_in(email).status_code == 200
    app.reauthenticate()
    with listening("default") as told:
        app("post", "account/email", {"email": to})
        assert app.verify(mailed_code(to)).status_code == 200
    assert told.facts == [("customer.updated", state(ann, email=to))]
    assert told[0].version == User.objects.get().version


def test_the_first_superuser_is_told_of(email, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    with listening("default") as told:
        call_command(
            "createsuperuser", email=email, name="Root", interactive=False, stdout=StringIO()
        )
    [(topic, payload)] = told.facts
    assert (topic, payload.email, payload.staff) == ("customer.created", email, True)
