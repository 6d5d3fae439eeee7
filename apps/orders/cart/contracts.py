"""Carts as they are kept and as they are shown."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from moneyed import Money

from apps.common.errors import Conflict, Unavailable
from apps.customers.contracts import Address

MAX_LINES = 100
MAX_QUANTITY = 1_000
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class CartAway(Unavailable):
    title = "Carts are temporarily unavailable"


class CartEmpty(Conflict):
    code, title = "cart_empty", "There is nothing in the cart"


class AlreadyOrdered(Conflict):
    code, title = "already_ordered", "What was in the cart has been ordered"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose cart it is: a customer's, or that of whoever has its token."""

    key: str
    is_customer: bool

    @classmethod
    def customer(cls, customer_id: UUID) -> "Owner":
        return cls(f"customer:{customer_id}", True)

    @classmethod
    def bearer(cls, token: str) -> "Owner":
        """Redis keeps a digest: who reads its keys or its file cannot use them."""
        return cls(f"token:{hashlib.blake2b(token.encode(), digest_size=32).hexdigest()}", False)


def new_token() -> str:
    """256 random bits, 43 characters."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Cart:
    """What Redis keeps. ``id`` is the id of the order that it becomes; ``version`` grows with each
    edit; ``lines`` are pieces by product, in the order they came. ``ordering``: an order of it was
    begun, and whether it was placed is for the database to say."""

    id: UUID
    version: int
    lines: Mapping[UUID, int] = field(default_factory=dict)
    ordering: bool = False


@dataclass(frozen=True, slots=True)
class CartItem:
    """A line as it looks now; price and stock are hints, the order asks anew.

    ``available`` is what this cart could have of it, with the ``held`` pieces that nobody else can.
    Of a product that is not ``for_sale`` (any more) the rest is empty.
    """

    product_id: UUID
    quantity: int
    for_sale: bool = False
    sku: str = ""
    name: str = ""
    unit_price: Money | None = None
    total: Money | None = None
    available: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class CartView:
    """``version`` is 0 without a cart; ``total`` is None where the lines are of several currencies
    or nothing is for sale; ``held_until`` is when the first hold ends."""

    version: int
    items: tuple[CartItem, ...] = ()
    total: Money | None = None
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderCart:
    """Order what is in a customer's cart; the words are those of ``PlaceOrder``. ``version``, if
    given, must be the cart's present one."""

    principal: str
    key: str
    customer_id: UUID
    card_token: str
    address: Address | UUID
    correlation_id: str = ""
    payment_method: str = "card"
    version: int | None = None
