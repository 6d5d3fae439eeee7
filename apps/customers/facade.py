"""What other apps may ask of customers. Writes are idempotent by e-mail address."""

from collections.abc import Sequence
from uuid import UUID

from apps.customers import registration, rules, selectors, services
from apps.customers.contracts import Address, Customer, Login, RegisterCustomer


def get_customer(customer_id: UUID) -> Customer | None:
    """The living customer, or None."""
    return selectors.customer_get(customer_id=customer_id)


def find_customer(email: str) -> Customer | None:
    """The living customer of this e-mail address, whatever its case, or None."""
    return selectors.customer_find(email=email)


def buys_on_account(customer_id: UUID) -> bool:
    """Whether the living customer may order without a card, for an invoice."""
    return selectors.customer_buys_on_account(customer_id=customer_id)


def get_address(customer_id: UUID, address_id: UUID) -> Address | None:
    """The living customer's own living address, or None."""
    return selectors.address_get(customer_id=customer_id, address_id=address_id)


def check_address(address: Address, prefix: str = "") -> Address:
    """``address`` trimmed and normalised; raises ``InvalidInput`` naming each bad field, after
    ``prefix`` (e.g. ``"shipping_address."``)."""
    clean, errors = rules.clean_address(address, prefix)
    rules.refuse(errors)
    return clean


def register_customers(customers: Sequence[RegisterCustomer]) -> dict[str, UUID]:
    """Every customer's id by the e-mail address as given; the unknown ones are created.

    Known ones are kept as they are. Raises ``InvalidInput`` naming each bad field and writes
    nothing.
    """
    return registration.customers_register(customers=customers)


def create_login(
    email: str, name: str, password: str, staff: bool, address: Address | None = None
) -> Login:
    """Someone who can log in with e-mail address and password; an existing login is kept as is.

    ``staff`` may do everything in the back office. Raises ``EmailTaken`` where a login for staff
    is asked for and a customer has the address, ``InvalidInput`` for a bad address or name.
    """
    return services.login_create(
        email=email, name=name, password=password, staff=staff, address=address
    )
