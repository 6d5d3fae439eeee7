"""Registering many customers at once: set-oriented SQL."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction

from apps.common.databases import execute, fetch_all
from apps.common.errors import FieldError
from apps.common.ids import new_id
from apps.customers import enums, events
from apps.customers.contracts import Address, RegisterCustomer
from apps.customers.enums import DATABASE
from apps.customers.rules import check_text, clean_address, clean_email, refuse

INSERT_USERS = """
    INSERT INTO customers_user (public_id, email, name, password, is_active, is_staff,
                                is_superuser, date_joined, deleted_by_cascade)
    SELECT public_id, email, name, password, true, false, false, now(), false
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[])
        AS wanted (public_id, email, name, password)
    ON CONFLICT (lower(email)) WHERE deleted IS NULL DO NOTHING
    RETURNING email, id
"""
INSERT_ADDRESSES = """
    INSERT INTO customers_address (public_id, user_id, name, line1, line2, city, region,
                                   postal_code, country, is_default, deleted_by_cascade)
    SELECT wanted.*, true, false
    FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],
                %s::text[], %s::text[], %s::text[]) AS wanted
"""
LIVING_USERS = """
    SELECT email, public_id FROM customers_user
    WHERE lower(email) = ANY(%s) AND deleted IS NULL
"""
ADDRESS_COLUMNS = ("name", "line1", "line2", "city", "region", "postal_code", "country")


def customers_register(*, customers: Sequence[RegisterCustomer]) -> dict[str, UUID]:
    """Every customer's id by the e-mail address as given; those unknown so far are created.

    A known living customer is kept as it is, address included, so repeating this changes nothing.
    Raises ``InvalidInput`` naming each bad field (``[3].address.country``), and writes nothing.
    """
    wanted = _clean(customers)
    emails = sorted(wanted)  # one order for all writers: no deadlock
    with transaction.atomic(using=DATABASE):
        created = fetch_all(
            DATABASE,
            INSERT_USERS,
            [
                [new_id() for _ in emails],
                emails,
                [wanted[email][0] for email in emails],
                [make_password(None) for _ in emails],
            ],
        )
        events.customers_created([pk for _, pk in created])
        _insert_addresses([(pk, wanted[email][1]) for email, pk in created if wanted[email][1]])
        ids = dict(fetch_all(DATABASE, LIVING_USERS, [emails]))
    return {customer.email: ids[clean_email(customer.email)[0]] for customer in customers}


def _clean(customers: Sequence[RegisterCustomer]) -> dict[str, tuple[str, Address | None]]:
    """Name and address by normalised e-mail address; of several alike the first counts."""
    errors: list[FieldError] = []
    wanted: dict[str, tuple[str, Address | None]] = {}
    for index, customer in enumerate(customers):
        email, wrong = clean_email(customer.email, f"[{index}].email")
        name = customer.name.strip()
        wrong += check_text(f"[{index}].name", name, enums.NAME_LENGTH, required=True)
        address = customer.address
        if address is not None:
            address, wrong_address = clean_address(address, f"[{index}].address.")
            wrong += wrong_address
        errors += wrong
        wanted.setdefault(email, (name, address))
    refuse(errors)
    return wanted


def _insert_addresses(rows: list[tuple[int, Address]]) -> None:
    if not rows:
        return
    addresses = [asdict(address) for _, address in rows]
    columns = [[address[name] for address in addresses] for name in ADDRESS_COLUMNS]
    ids = [new_id() for _ in rows]
    execute(DATABASE, INSERT_ADDRESSES, [ids, [pk for pk, _ in rows], *columns])
