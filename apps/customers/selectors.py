"""Reads: living customers and their living addresses, by public id."""

from uuid import UUID

from django.db.models import QuerySet

from apps.customers.contracts import Address, Customer
from apps.customers.enums import DATABASE
from apps.customers.errors import AddressNotFound
from apps.customers.models import Address as AddressRow
from apps.customers.models import User


def customer_get(*, customer_id: UUID) -> Customer | None:
    """The living customer, or None."""
    row = (
        User.objects.using(DATABASE)
        .filter(public_id=customer_id)
        .values_list("public_id", "email", "name")
        .first()
    )
    return row and Customer(*row)


def customer_buys_on_account(*, customer_id: UUID) -> bool:
    """Whether this is a living, active customer whom staff let buy on account."""
    allowed = User.objects.using(DATABASE).filter(is_active=True, buys_on_account=True)
    return allowed.filter(public_id=customer_id).exists()


def address_rows(*, user_id: int) -> QuerySet[AddressRow]:
    """A customer's living addresses."""
    return AddressRow.objects.using(DATABASE).filter(user_id=user_id)


def address_row(*, user_id: int, address_id: UUID) -> AddressRow:
    """The customer's own living address; raises ``AddressNotFound``."""
    row = address_rows(user_id=user_id).filter(public_id=address_id).first()
    if row is None:
        raise AddressNotFound()
    return row


def customer_find(*, email: str) -> Customer | None:
    """The living customer of this e-mail address, or None."""
    row = (
        User.objects.using(DATABASE)
        .filter(email=User.objects.normalize_email(email))
        .values_list("public_id", "email", "name")
        .first()
    )
    return row and Customer(*row)


def addresses_of(*, user_id: int) -> list[AddressRow]:
    """A customer's living addresses, the default one first."""
    return list(address_rows(user_id=user_id))


def address_get(*, customer_id: UUID, address_id: UUID) -> Address | None:
    """The living customer's own living address, or None."""
    row = (
        AddressRow.objects.using(DATABASE)
        .filter(public_id=address_id, user__public_id=customer_id, user__deleted=None)
        .first()
    )
    return row and to_contract(row)


def to_contract(row: AddressRow) -> Address:
    """The address as other apps see and copy it."""
    return Address(
        name=row.name,
        line1=row.line1,
        line2=row.line2,
        city=row.city,
        region=row.region,
        postal_code=row.postal_code,
        country=row.country,
    )
