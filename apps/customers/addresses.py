"""Writes on addresses; the customer's row lock orders them."""

from dataclasses import asdict, fields

from django.db import transaction

from apps.customers.contracts import Address as AddressContract
from apps.customers.enums import DATABASE
from apps.customers.locks import lock_address, lock_user
from apps.customers.models import Address
from apps.customers.rules import clean_address, refuse

COLUMNS = [field.name for field in fields(AddressContract)]


def address_create(
    *, user_id: int, address: AddressContract, make_default: bool = False
) -> Address:
    """A new address of a living customer; their first one becomes the default."""
    clean, errors = clean_address(address)
    refuse(errors)
    with transaction.atomic(using=DATABASE):
        user = lock_user(user_id)
        row = Address(user=user, **asdict(clean))
        if make_default or not _defaults(user_id).exists():
            _defaults(user_id).update(is_default=False)
            row.is_default = True
        row.save(using=DATABASE)
    return row


def address_update(*, address_id: int, address: AddressContract) -> Address:
    """Corrects a living address; orders keep the copy they were placed with."""
    clean, errors = clean_address(address)
    refuse(errors)
    with transaction.atomic(using=DATABASE):
        row = lock_address(address_id)
        for column, value in asdict(clean).items():
            setattr(row, column, value)
        row.save(update_fields=COLUMNS)
    return row


def address_make_default(*, address_id: int) -> Address:
    """Makes this living address the customer's one default."""
    with transaction.atomic(using=DATABASE):
        row = lock_address(address_id)
        if not row.is_default:
            _defaults(row.user_id).update(is_default=False)
            row.is_default = True
            row.save(update_fields=["is_default"])
    return row


def address_delete(*, address_id: int) -> None:
    """Soft-deletes an address; the customer then has no default until one is chosen."""
    with transaction.atomic(using=DATABASE):
        row = lock_address(address_id)
        row.is_default = False
        row.save(update_fields=["is_default"])
        row.delete()


def address_restore(*, address_id: int) -> Address:
    """Brings a deleted address back, never as the default. Its customer must be living."""
    with transaction.atomic(using=DATABASE):
        row = lock_address(address_id, deleted=True)
        row.undelete()
    return row


def _defaults(user_id: int):
    return Address.objects.using(DATABASE).filter(user_id=user_id, is_default=True)
