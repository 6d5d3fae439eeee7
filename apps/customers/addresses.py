"""Writes on addresses; the customer's row lock orders them.

Each also counts up the customer's own version: their profile shows the addresses.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from django.db import transaction
from django.db.models import F

from apps.customers.contracts import Address as AddressContract
from apps.customers.enums import DATABASE, MOST_ADDRESSES
from apps.customers.errors import TooManyAddresses
from apps.customers.locks import lock_address, lock_user
from apps.customers.models import Address, User
from apps.customers.rules import clean_address, refuse
from apps.messaging.staff_log import differing, staff_change

SUBJECT = "customers.address"
COLUMNS = [field.name for field in fields(AddressContract)]


def address_create(
    *, user_id: int, address: AddressContract, make_default: bool = False
) -> Address:
    """A new address of a living customer; their first one becomes the default.

    Raises ``InvalidInput``, or ``TooManyAddresses`` from the 51st on.
    """
    clean, errors = clean_address(address)
    refuse(errors)
    with transaction.atomic(using=DATABASE):
        user = lock_user(user_id)
        _refuse_more(user_id)
        row = Address(user=user, **asdict(clean))
        if make_default or not _defaults(user_id).exists():
            _unset_defaults(user_id)
            row.is_default = True
        row.save(using=DATABASE)
        _written(row, "create", after=_values(row))
    return row


def address_update(
    *, address_id: int, address: AddressContract, version: int | None = None
) -> Address:
    """Corrects a living address; orders keep the copy they were placed with.

    With ``version`` only if the address still has that one, else ``VersionConflict``.
    """
    return address_change(address_id=address_id, changes=asdict(address), version=version)


def address_change(
    *,
    address_id: int,
    changes: Mapping[str, str],
    is_default: bool | None = None,
    version: int | None = None,
) -> Address:
    """Writes the fields in ``changes``, as ``address_update`` does.

    ``is_default`` makes it the default, or leaves the customer without one; None keeps that.
    """
    with transaction.atomic(using=DATABASE):
        row = lock_address(address_id, version=version)
        before = _values(row)
        present = AddressContract(**{column: before[column] for column in COLUMNS})
        clean, errors = clean_address(replace(present, **changes))
        refuse(errors)
        if is_default and not row.is_default:
            _unset_defaults(row.user_id)
        if is_default is not None:
            row.is_default = is_default
        for column, value in asdict(clean).items():
            setattr(row, column, value)
        row.version += 1
        row.save(update_fields=[*COLUMNS, "is_default", "version"])
        _written(row, "change", *differing(before, _values(row)))
    return row


def address_make_default(*, address_id: int) -> Address:
    """Makes this living address the customer's one default."""
    with transaction.atomic(using=DATABASE):
        row = lock_address(address_id)
        if not row.is_default:
            _unset_defaults(row.user_id)
            row.is_default = True
            row.version += 1
            row.save(update_fields=["is_default", "version"])
            _written(row, "change", {"is_default": False}, {"is_default": True})
    return row


def address_delete(*, address_id: int, version: int | None = None) -> None:
    """Soft-deletes an address; the customer then has no default until one is chosen."""
    with transaction.atomic(using=DATABASE):
        row = lock_address(address_id, version=version)
        row.is_default = False
        row.version += 1
        row.save(update_fields=["is_default", "version"])
        row.delete()
        _written(row, "delete", before=_values(row))


def address_restore(*, address_id: int) -> Address:
    """Brings a deleted address back, never as the default. Its customer must be living."""
    with transaction.atomic(using=DATABASE):
        row = lock_address(address_id, deleted=True)
        _refuse_more(row.user_id)
        row.undelete()
        _written(row, "restore", after=_values(row))
    return row


def _refuse_more(user_id: int) -> None:
    if Address.objects.using(DATABASE).filter(user_id=user_id).count() >= MOST_ADDRESSES:
        raise TooManyAddresses(f"At most {MOST_ADDRESSES} addresses: delete one first.")


def _defaults(user_id: int):
    return Address.objects.using(DATABASE).filter(user_id=user_id, is_default=True)


def _unset_defaults(user_id: int) -> None:
    _defaults(user_id).update(is_default=False, version=F("version") + 1)


def _values(row: Address) -> dict[str, Any]:
    return {column: getattr(row, column) for column in (*COLUMNS, "is_default")}


def _written(row: Address, action: str, before: Any = None, after: Any = None) -> None:
    """What every write ends with, under the customer's lock."""
    User.objects.using(DATABASE).filter(pk=row.user_id).update(version=F("version") + 1)
    if before is None or before != after:
        noted = {"subject": SUBJECT, "subject_id": row.public_id, "action": action}
        staff_change(DATABASE, **noted, before=before, after=after)
