"""People in the back office: who may do what to whom, and that it goes through services."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission

from apps.customers import addresses, facade, services
from apps.customers.contracts import Address
from apps.customers.models import Address as AddressRow
from apps.customers.models import User
from apps.messaging.models import StaffChange
from tests.integration.customers.conftest import PASSWORD

pytestmark = pytest.mark.django_db

USERS = "/admin/customers/user/"
ADDRESSES = "/admin/customers/address/"
HOME = Address(name="Ann", line1="1 High St", city="Ely", country="GB")
DIALOG = {"_form_submitted": "on"}


def permissions(*codenames: str):
    return Permission.objects.filter(codename__in=codenames)


def saved(user: User, **changes) -> dict:
    """The change form of ``user`` as a browser sends it."""
    form = {"email": user.email, "name": user.name, "is_active": "on" if user.is_active else ""}
    form["seen_version"] = User.all_objects.get(pk=user.pk).version
    inline = {"addresses-TOTAL_FORMS": 0, "addresses-INITIAL_FORMS": 0}
    return form | inline | changes


@pytest.fixture
def root(make_user, client):
    user = make_user(password=PASSWORD, name="Root", is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


@pytest.fixture
def clerk(make_user, client):
    """Staff who look after customers, not after staff."""
    user = make_user(name="Clerk", is_staff=True)
    user.user_permissions.set(
        permissions("view_user", "add_user", "change_user", "delete_user", "view_address")
    )
    client.force_login(user)
    return user


@pytest.fixture
def chief(clerk):
    """A clerk who may manage staff as well."""
    clerk.user_permissions.add(*permissions("manage_staff"))
    return clerk


def test_a_customer_is_created_in_lower_case_without_a_password(root, client):
    answer = client.post(
        f"{USERS}add/", {"email": "New@Example.com", "name": "New", "password": ""}
    )

    user = User.objects.get(email="new@example.com")
    assert answer["Location"] in (USERS, f"{USERS}{user.pk}/change/")
    assert (user.is_staff, user.has_usable_password()) == (False, False)
    assert LogEntry.objects.get().object_id == str(user.pk)


def test_staff_are_created_with_a_password_and_roles(root, client):
    group = Group.objects.create(name="Helpers")
    given = {"email": "s@example.com", "name": "S", "is_staff": "on", "groups": [group.pk]}
    answer = client.post(f"{USERS}add/", given | {"password": ""})
    assert answer.context["adminform"].form.errors == {"password": ["Staff need a password."]}
    answer = client.post(f"{USERS}add/", given | {"password": "short"})
    assert "password" in answer.context["adminform"].form.errors
    assert not User.objects.filter(email="s@example.com").exists()

    client.post(f"{USERS}add/", given | {"password": PASSWORD})

    user = User.objects.get(email="s@example.com")
    assert (user.is_staff, user.is_superuser) == (True, False)
    assert user.check_password(PASSWORD)
    assert list(user.groups.all()) == [group]


def test_a_taken_email_is_an_error_on_the_form(root, make_user, client):
    make_user("ann@example.com")

    answer = client.post(f"{USERS}add/", {"email": "ANN@example.com", "name": "Ann"})

    assert answer.context["adminform"].form.errors == {
        "email": ["A customer with this e-mail address exists."]
    }


def test_an_edit_writes_what_was_changed_alone(root, make_user, client):
    user = make_user(password=PASSWORD)
    page = f"{USERS}{user.pk}/change/"
    hashed = user.password

    assert client.post(page, saved(user, name="Anna")).status_code == 302

    row = User.objects.get(pk=user.pk)
    assert (row.name, row.email, row.password) == ("Anna", user.email, hashed)


def test_no_page_shows_a_password(root, make_user, client):
    user = make_user(password=PASSWORD)

    for page in (USERS, f"{USERS}{user.pk}/change/", f"{USERS}{user.pk}/history/"):
        content = client.get(page).content.decode()
        assert "argon2" not in content
        assert user.password not in content


def test_the_second_of_two_editors_is_told(root, make_user, client):
    user = make_user()
    page = f"{USERS}{user.pk}/change/"
    form = saved(user)
    assert (
        f'name="seen_version" value="{form["seen_version"]}"' in client.get(page).content.decode()
    )
    services.customer_update(user_id=user.pk, changes={"name": "Anna"})

    late = client.post(page, form | {"name": "Hanna"}, follow=True)
    unseen = client.post(page, form | {"name": "Hanna", "seen_version": ""}, follow=True)

    assert "It has version 2 by now, not 1." in late.content.decode()
    assert "It has version 2 by now, not 0." in unseen.content.decode()
    assert User.objects.get(pk=user.pk).name == "Anna"


def test_what_staff_change_is_noted(root, make_user, client):
    user = make_user(password=PASSWORD)
    page = f"{USERS}{user.pk}/"
    group = Group.objects.create(name="Helpers")

    client.post(f"{page}change/", saved(user, name="Anna", groups=[group.pk]))
    client.post(f"{page}set_password/", DIALOG | {"password": "another long password"})
    client.post(f"{page}delete/", {"post": "yes"})
    client.post(f"{page}restore/", DIALOG)

    noted = StaffChange.objects.using("default").order_by("pk")
    assert {(n.actor_id, n.subject, n.subject_id) for n in noted} == {
        (str(root.public_id), "customers.user", str(user.public_id))
    }
    assert [n.action for n in noted] == ["change", "set_password", "delete", "restore"]
    assert noted[0].before == {"name": "Ann", "groups": []}
    assert noted[0].after == {"name": "Anna", "groups": ["Helpers"]}
    assert not any("argon2" in str((n.before, n.after)) for n in noted)


def test_a_password_is_set_in_a_dialog_and_checked(root, make_user, client):
    user = make_user()
    page = f"{USERS}{user.pk}/set_password/"
    assert client.post(page, DIALOG | {"password": "short"}).status_code == 200
    assert not User.objects.get(pk=user.pk).has_usable_password()

    answer = client.post(page, DIALOG | {"password": PASSWORD}, headers={"HX-Request": "true"})

    assert answer["HX-Redirect"] == f"{USERS}{user.pk}/change/"
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)


def test_deleting_and_restoring_go_through_the_services(root, make_user, client):
    user = make_user(password=PASSWORD)
    page = f"{USERS}{user.pk}/"
    answer = client.get(f"{page}delete/")
    assert answer.context["deleted_objects"] == [f"Ann <{user.email}>"]

    client.post(f"{page}delete/", {"post": "yes"})
    assert User.deleted_objects.get() == user
    assert list(client.get(USERS).context["cl"].result_list) == [root]
    assert list(client.get(f"{USERS}?deletion=deleted").context["cl"].result_list) == [user]
    assert client.get(f"{USERS}?deletion=all").context["cl"].result_count == 2
    assert client.get(f"{page}restore/").status_code == 200  # the dialog alone restores nothing
    assert User.deleted_objects.count() == 1

    client.post(f"{page}restore/", DIALOG)
    assert User.objects.filter(pk=user.pk).exists()
    assert client.post(f"{page}restore/", DIALOG).status_code == 403  # it is living


def test_a_restore_conflict_is_told_and_changes_nothing(root, make_user, client):
    first = make_user("ann@example.com")
    services.customer_delete(user_id=first.pk)
    make_user("ann@example.com")
    selected = {"action": "restore_selected", "_selected_action": [first.pk]}

    answer = client.post(f"{USERS}?deletion=deleted", selected, follow=True)

    assert "belongs to another customer by now" in answer.content.decode()
    assert User.deleted_objects.get() == first


def test_selected_customers_are_deleted_softly(root, make_user, client):
    chosen = [make_user().pk for _ in range(3)]
    selected = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}

    client.post(USERS, selected)

    assert set(User.deleted_objects.values_list("pk", flat=True)) == set(chosen)


def test_a_deleted_account_can_be_looked_at_not_edited(root, make_user, client):
    user = make_user()
    services.customer_delete(user_id=user.pk)
    page = f"{USERS}{user.pk}/change/"

    assert client.get(page).status_code == 200
    assert client.post(page, saved(user, name="Anna")).status_code == 403
    assert client.post(f"{USERS}{user.pk}/delete/", {"post": "yes"}).status_code == 403


def test_nobody_deletes_themselves(root, client):
    assert client.post(f"{USERS}{root.pk}/delete/", {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"}
    assert client.post(USERS, selected).status_code == 403
    assert User.objects.filter(pk=root.pk).exists()


def test_a_clerk_edits_customers_but_neither_staff_nor_roles(clerk, make_user, client):
    customer, colleague = make_user(), make_user(is_staff=True)
    roles = {"is_staff": "on", "is_superuser": "on"}

    client.post(f"{USERS}{customer.pk}/change/", saved(customer, name="Anna", **roles))
    row = User.objects.get(pk=customer.pk)
    assert (row.name, row.is_staff, row.is_superuser) == ("Anna", False, False)

    for target in (colleague, clerk):
        page = f"{USERS}{target.pk}/"
        change = client.post(f"{page}change/", saved(target, name="X", **roles))
        password = client.post(f"{page}set_password/", DIALOG | {"password": PASSWORD})
        delete = client.post(f"{page}delete/", {"post": "yes"})
        assert [answer.status_code for answer in (change, password, delete)] == [403] * 3
        row = User.objects.get(pk=target.pk)
        assert (row.name, row.is_superuser, row.has_usable_password()) == (
            target.name,
            False,
            False,
        )


def test_a_chief_manages_staff_up_to_their_own_permissions(chief, make_user, client):
    modest, mighty = Group.objects.create(name="Modest"), Group.objects.create(name="Mighty")
    modest.permissions.set(permissions("view_user"))
    mighty.permissions.set(permissions("delete_address"))
    colleague = make_user(is_staff=True)
    page = f"{USERS}{colleague.pk}/change/"

    refused = client.post(page, saved(colleague, is_staff="on", groups=[mighty.pk]))
    assert "groups" in refused.context["adminform"].form.errors
    client.post(page, saved(colleague, is_staff="on", groups=[modest.pk], is_superuser="on"))
    row = User.objects.get(pk=colleague.pk)
    assert (list(row.groups.all()), row.is_superuser) == ([modest], False)

    colleague.groups.set([mighty])
    colleague.is_active = False  # being shut out makes nobody less mighty
    colleague.save()
    assert client.post(page, saved(colleague, name="X")).status_code == 403


def test_a_chief_cannot_touch_superusers_or_themselves(chief, make_user, client):
    boss = make_user(is_staff=True, is_superuser=True)

    for target in (boss, chief):
        page = f"{USERS}{target.pk}/"
        assert client.post(f"{page}change/", saved(target, is_superuser="on")).status_code == 403
        assert client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert not User.objects.get(pk=chief.pk).is_superuser


def test_roles_are_for_superusers(chief, client):
    chief.user_permissions.add(*permissions("add_group", "change_group", "view_group"))
    group = Group.objects.create(name="Helpers")

    assert client.get(f"/admin/auth/group/{group.pk}/change/").status_code == 200
    answer = client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "Mine"})
    assert answer.status_code == 403
    assert client.post("/admin/auth/group/add/", {"name": "Mine"}).status_code == 403
    assert Group.objects.get(pk=group.pk).name == "Helpers"


def test_addresses_are_written_through_the_services(root, make_user, client):
    user = make_user()
    form = {"name": "Ann", "line1": "1 High St", "city": "Ely", "country": "GB"}
    bad = client.post(f"{ADDRESSES}add/", form | {"user": user.pk, "country": "XX"})
    assert "country" in bad.context["adminform"].form.errors

    client.post(f"{ADDRESSES}add/", form | {"user": user.pk})
    row = AddressRow.objects.get()
    assert (row.user, row.is_default) == (user, True)

    page = f"{ADDRESSES}{row.pk}/"
    seen = {"seen_version": row.version}
    client.post(f"{page}change/", form | {"city": "Bath"} | seen)
    assert AddressRow.objects.get().city == "Bath"
    late = client.post(f"{page}change/", form | {"city": "Wells"} | seen, follow=True)
    assert "It has version 2 by now, not 1." in late.content.decode()
    assert AddressRow.objects.get().city == "Bath"
    client.post(f"{page}delete/", {"post": "yes"})
    assert AddressRow.objects.count() == 0
    client.post(f"{page}restore/", DIALOG)
    assert not AddressRow.objects.get().is_default
    client.post(f"{page}make_default/", DIALOG)
    assert AddressRow.objects.get().is_default


def test_an_addressee_is_looked_for_not_listed_and_living(root, make_user, client):
    living, deleted = make_user(name="Zoe"), make_user(name="Zoe")
    services.customer_delete(user_id=deleted.pk)
    addresses.address_create(user_id=living.pk, address=HOME)
    assert client.get(f"{ADDRESSES}add/").content.count(b"<option") < 400  # countries, no people

    found = client.get(
        "/admin/autocomplete/?app_label=customers&model_name=address&field_name=user&term=zoe"
    ).json()

    assert found["results"] == [{"id": str(living.pk), "text": f"Zoe <{living.email}>"}]


def test_ending_logins_needs_permission_over_the_person(chief, make_user, client, log_in):
    customer = make_user(password=PASSWORD)
    boss = make_user(password=PASSWORD, is_staff=True, is_superuser=True)
    tokens = [
        {"X-Session-Token": log_in(person.email).json()["meta"]["session_token"]}
        for person in (customer, boss)
    ]
    client.force_login(chief)
    chief.user_permissions.add(*permissions("view_usersession", "delete_usersession"))
    page = "/admin/usersessions/usersession/"
    chosen = [session.pk for person in (customer, boss) for session in person.usersession_set.all()]

    client.post(page, {"action": "end", "_selected_action": chosen})

    client.logout()
    assert [client.get("/api/v1/me", headers=token).status_code for token in tokens] == [401, 200]


def test_buying_on_account_is_let_by_whom_it_is_given_to_and_noted(clerk, make_user, client):
    user = make_user()
    page = f"{USERS}{user.pk}/change/"
    assert "buys_on_account" not in client.get(page).content.decode()
    client.post(page, saved(user, buys_on_account="on"))
    assert facade.buys_on_account(user.public_id) is False

    clerk.user_permissions.add(*permissions("grant_account"))
    client.post(page, saved(user, buys_on_account="on"))

    assert facade.buys_on_account(user.public_id) is True
    noted = StaffChange.objects.using("default").get()
    assert (noted.actor_id, noted.before, noted.after) == (
        str(clerk.public_id),
        {"buys_on_account": False},
        {"buys_on_account": True},
    )


def test_nobody_gone_or_shut_out_buys_on_account(make_user):
    user = make_user()
    services.customer_update(user_id=user.pk, changes={"buys_on_account": True})
    services.customer_update(user_id=user.pk, changes={"is_active": False})
    assert facade.buys_on_account(user.public_id) is False
    services.customer_update(user_id=user.pk, changes={"is_active": True})
    services.customer_delete(user_id=user.pk)
    assert facade.buys_on_account(user.public_id) is False
