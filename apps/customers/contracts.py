"""What other apps may know of customers."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; ``country`` is an ISO 3166-1 alpha-2 code."""

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
