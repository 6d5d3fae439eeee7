"""The events that customers publish; staff are told of too, since they may order as well."""

from dataclasses import dataclass
from uuid import UUID

from apps.messaging.contracts import EventContract


@dataclass(frozen=True, slots=True)
class CustomerState:
    """The customer as they are from now on.

    Attributes:
        customer_id: Who.
        email: Their e-mail address, in lower case.
        name: What they call themselves.
        active: False where they are shut out of their account.
        staff: Whether they may enter the back office.
        buys_on_account: Whether they may order without a card, for an invoice.
    """

    customer_id: UUID
    email: str
    name: str
    active: bool
    staff: bool
    buys_on_account: bool


@dataclass(frozen=True, slots=True)
class CustomerCreated:
    """A new customer.

    Attributes:
        customer_id: Who.
        email: Their e-mail address, in lower case.
        name: What they call themselves.
        active: False where they are shut out of their account.
        staff: Whether they may enter the back office.
        buys_on_account: Whether they may order without a card, for an invoice.
        signed_up: True where they made the account themselves, false for staff's and imports.
    """

    customer_id: UUID
    email: str
    name: str
    active: bool
    staff: bool
    buys_on_account: bool
    signed_up: bool


@dataclass(frozen=True, slots=True)
class CustomerDeleted:
    """Who is gone; the e-mail address is free for somebody else.

    Attributes:
        customer_id: Who.
        email: The address that they had.
        name: The name that they had.
    """

    customer_id: UUID
    email: str
    name: str


CUSTOMER_CREATED = EventContract(
    "customer.created", 1, CustomerCreated, "Somebody signed up, or staff or an import added them."
)
CUSTOMER_UPDATED = EventContract(
    "customer.updated", 1, CustomerState, "Something that this event tells of has changed."
)
CUSTOMER_DELETED = EventContract(
    "customer.deleted", 1, CustomerDeleted, "The account was deleted; it may be restored."
)
CUSTOMER_RESTORED = EventContract(
    "customer.restored", 1, CustomerState, "A deleted account was brought back."
)
CONTRACTS = (CUSTOMER_CREATED, CUSTOMER_UPDATED, CUSTOMER_DELETED, CUSTOMER_RESTORED)
