"""Roles are there from the start, grow with the shop, and leave alone what it added by hand."""

import io

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from apps.customers.roles import Role, label, roles_sync
from project.roles import MANAGER, ROLES, SUPPORT

pytestmark = pytest.mark.django_db(databases=["default"])


def held(name: str) -> set[str]:
    group = Group.objects.get(name=name)
    return {label(one) for one in group.permissions.select_related("content_type")}


def synced(*words: str) -> str:
    out = io.StringIO()
    call_command("sync_roles", *words, stdout=out)
    return out.getvalue()


def test_a_migrated_shop_has_the_roles():
    assert {role.name: held(role.name) for role in ROLES} == {
        role.name: set(role.permissions) for role in ROLES
    }
    assert [role.name for role in ROLES] == [
        *("Read-only", "Support", "Catalogue", "Warehouse", "Finance", "Manager"),
    ]


def test_a_second_time_nothing_changes():
    assert synced() == "Every role is as it should be.\n"
    assert roles_sync(roles=ROLES) == []


def test_what_is_missing_is_given_and_what_was_added_stays_unless_asked():
    group = Group.objects.get(name="Support")
    group.permissions.remove(Permission.objects.get(codename="move_order"))
    group.permissions.add(Permission.objects.get(codename="adjust_stock"))
    assert synced() == "Support: + orders.move_order\n"
    assert held("Support") == SUPPORT.permissions | {"catalog.adjust_stock"}
    assert synced("--exactly") == "Support: - catalog.adjust_stock\n"
    assert held("Support") == SUPPORT.permissions


def test_a_group_that_was_removed_comes_back_and_others_stay():
    Group.objects.get(name="Finance").delete()
    own = Group.objects.create(name="Our own")
    own.permissions.add(Permission.objects.get(codename="view_order"))
    roles_sync(roles=ROLES, exactly=True)
    assert len(held("Finance")) == len(ROLES[4].permissions)
    assert held("Our own") == {"orders.view_order"}


def test_a_permission_that_does_not_exist_stops_everything():
    ghost = Role("Ghost", "", frozenset({"orders.haunt_order"}))
    with pytest.raises(LookupError, match=r"there are no permissions orders\.haunt_order"):
        roles_sync(roles=[ghost])
    assert not Group.objects.filter(name="Ghost").exists()


def test_the_manager_may_all_that_others_may():
    assert all(role.permissions <= MANAGER.permissions for role in ROLES)


DECISIONS = {
    "sagas.repair_run",
    "payments.resolve_discrepancy",
    "messaging.redrive_deadletter",
}


def test_nobody_may_write_what_only_the_machinery_writes():
    """Ledgers, sagas, messages and notes: seen, never added, changed or deleted. What a person may
    decide about them has a service of its own."""
    machinery = ("payments", "sagas", "messaging", "shipping", "admin", "auth")
    stock = ("stockitem", "reservation", "stockledgerentry", "pricechange", "auditrun")
    for role in ROLES:
        writes = {name for name in role.permissions if ".view_" not in name} - DECISIONS
        assert not [name for name in writes if name.split(".")[0] in machinery], role.name
        assert not [name for name in writes if name.endswith(stock)], role.name
