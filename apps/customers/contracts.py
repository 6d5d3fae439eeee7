"""What other apps may know of customers."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; ``country`` is an ISO 3166-1 alpha-2 code.

    Name, first line, city and country must not be empty.
    """

    name: str
    line1: str
    city: str
    country: str
    line2: str = ""
    region: str = ""
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class Customer:
    customer_id: UUID
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class RegisterCustomer:
    """A customer by e-mail; an existing living one is kept as it is. Has no usable password."""

    email: str
    name: str
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """Someone who can log in; ``created`` is false where the login was there before."""

    customer_id: UUID
    email: str
    created: bool
