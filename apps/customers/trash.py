"""Deleted accounts and addresses: what hangs on what, and how they come back together."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from apps.common.trash import Bin, Clash, Plan, Trashed
from apps.customers import addresses, purging, services
from apps.customers.enums import DATABASE
from apps.customers.models import Address, User

CUSTOMER, ADDRESS = "customer", "address"
MOST_BELOW = 200


def _trashed(row: User | Address) -> Trashed:
    kind = CUSTOMER if isinstance(row, User) else ADDRESS
    return Trashed(kind, row.pk, str(row), row.deleted)


def _newest(rows: QuerySet, most: int) -> tuple[int, list[Trashed]]:
    return rows.count(), [_trashed(row) for row in rows.order_by("-deleted", "-pk")[:most]]


def customers_newest(q: str, most: int) -> tuple[int, list[Trashed]]:
    rows = User.deleted_objects.using(DATABASE)
    return _newest(rows.filter(Q(name__icontains=q) | Q(email__icontains=q)) if q else rows, most)


def addresses_newest(q: str, most: int) -> tuple[int, list[Trashed]]:
    rows = Address.deleted_objects.using(DATABASE)
    return _newest(rows.filter(Q(name__icontains=q) | Q(line1__icontains=q)) if q else rows, most)


def customer_plan(pk: int) -> Plan | None:
    """The customer's deleted addresses may come back with them."""
    user = User.deleted_objects.using(DATABASE).filter(pk=pk).first()
    if user is None:
        return None
    below = Address.deleted_objects.using(DATABASE).filter(user_id=pk)
    below = [_trashed(row) for row in below.order_by("-deleted", "-pk")[:MOST_BELOW]]
    return Plan(_trashed(user), (), tuple(below), tuple(_clashes(user)))


def address_plan(pk: int) -> Plan | None:
    """The address's customer must be living, or comes back with it."""
    address = Address.deleted_objects.using(DATABASE).filter(pk=pk).first()
    if address is None:
        return None
    user = User.deleted_objects.using(DATABASE).filter(pk=address.user_id).first()
    above = (_trashed(user),) if user else ()
    return Plan(_trashed(address), above, (), tuple(_clashes(user)) if user else ())


def customer_restore(pk: int, below: Sequence[int] = ()) -> None:
    """The customer, and their deleted addresses ``below``."""
    with transaction.atomic(using=DATABASE):
        services.customer_restore(user_id=pk)
        own = Address.deleted_objects.using(DATABASE).filter(user_id=pk, pk__in=list(below))
        for address_id in own.order_by("pk").values_list("pk", flat=True):
            addresses.address_restore(address_id=address_id)


def address_restore(pk: int, below: Sequence[int] = ()) -> None:
    """The address, with its customer where they are deleted."""
    with transaction.atomic(using=DATABASE):
        owner = User.deleted_objects.using(DATABASE).filter(addresses__pk=pk)
        for user_id in owner.values_list("pk", flat=True):
            services.customer_restore(user_id=user_id)
        addresses.address_restore(address_id=pk)


def _clashes(user: User) -> list[Clash]:
    holder = User.objects.using(DATABASE).filter(email=user.email).first()
    if holder is None:
        return []
    return [Clash(_trashed(user), "e-mail address", user.email, str(holder), holder.pk)]


BINS = (
    Bin(
        CUSTOMER,
        "Customers and staff",
        "customers.User",
        customers_newest,
        customer_plan,
        customer_restore,
        lambda pk: purging.customer_purge(user_id=pk),
        "customers.purge_user",
    ),
    Bin(
        ADDRESS,
        "Addresses",
        "customers.Address",
        addresses_newest,
        address_plan,
        address_restore,
        lambda pk: purging.address_purge(address_id=pk),
        "customers.purge_user",
    ),
)
