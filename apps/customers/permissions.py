"""What a member of the staff may do to which account."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

from apps.customers.enums import DATABASE
from apps.customers.models import User

MANAGE_STAFF = "customers.manage_staff"
GRANT_ACCOUNT = "customers.grant_account"


def may_manage(actor: User, target: User) -> bool:
    """Whether ``actor`` may change, delete or restore ``target``'s account.

    Customers: everyone with the model's permission. Staff: with ``manage_staff`` those who hold
    no permission the actor lacks, but never oneself. Superusers: superusers only.
    """
    if actor.is_superuser:
        return True
    if target.is_superuser:
        return False
    if not target.is_staff:
        return True
    return actor.pk != target.pk and actor.has_perm(MANAGE_STAFF) and not _beyond(actor, target)


def grantable_groups(actor: User) -> QuerySet[Group]:
    """The groups ``actor`` may put others into: those that can nothing the actor cannot."""
    groups = Group.objects.using(DATABASE).order_by("name")
    if actor.is_superuser:
        return groups
    if not actor.has_perm(MANAGE_STAFF):
        return groups.none()
    return groups.exclude(permissions__in=_lacking(actor))


def _lacking(actor: User) -> list[int]:
    held = actor.get_all_permissions()
    every = Permission.objects.using(DATABASE).values_list(
        "pk", "content_type__app_label", "codename"
    )
    return [pk for pk, app, codename in every if f"{app}.{codename}" not in held]


def _beyond(actor: User, target: User) -> bool:
    """Whether ``target`` has a permission beyond ``actor``'s, be the account active or not."""
    given = Q(user=target) | Q(group__user=target)
    return Permission.objects.using(DATABASE).filter(given, pk__in=_lacking(actor)).exists()
