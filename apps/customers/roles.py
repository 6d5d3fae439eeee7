"""Roles: named groups of permissions that a shop has from the start and may extend."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from apps.common.databases import fetch_one
from apps.customers.enums import DATABASE


@dataclass(frozen=True, slots=True)
class Role:
    """``permissions`` as Django names them: ``orders.view_order``."""

    name: str
    about: str
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class RoleChange:
    """What a group was given, and what was taken from it."""

    role: str
    given: tuple[str, ...]
    taken: tuple[str, ...]


def roles_sync(*, roles: Iterable[Role], exactly: bool = False) -> list[RoleChange]:
    """Makes the groups that are missing and gives each what its role has; returns what changed.

    What a shop has added by hand stays, unless ``exactly``. Repeating it changes nothing. Raises
    ``LookupError`` naming permissions that do not exist; then nothing is changed.
    """
    roles = list(roles)
    with transaction.atomic(using=DATABASE):
        # Two migrations at once must not both make the groups.
        fetch_one(DATABASE, "SELECT pg_advisory_xact_lock(hashtextextended('roles', 0))")
        known = _permissions()
        if lost := sorted({name for role in roles for name in role.permissions} - known.keys()):
            raise LookupError(f"there are no permissions {', '.join(lost)}")
        groups = {
            group.name: group
            for group in Group.objects.using(DATABASE).prefetch_related("permissions__content_type")
        }
        changes = []
        for role in roles:
            group = groups.get(role.name) or Group.objects.using(DATABASE).create(name=role.name)
            held = {label(one) for one in group.permissions.all()}
            given = sorted(role.permissions - held)
            taken = sorted(held - role.permissions) if exactly else []
            group.permissions.add(*[known[name] for name in given])
            group.permissions.remove(*[known[name] for name in taken])
            if given or taken:
                changes.append(RoleChange(role.name, tuple(given), tuple(taken)))
        return changes


def label(permission: Permission) -> str:
    """``orders.view_order``."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def _permissions() -> dict[str, Permission]:
    rows = Permission.objects.using(DATABASE).select_related("content_type")
    return {label(one): one for one in rows}
