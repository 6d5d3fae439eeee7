"""What other apps may know of the catalogue."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from moneyed import Money


@dataclass(frozen=True, slots=True)
class Offer:
    """A living product as it can be sold now, read from the database, never from a cache."""

    product_id: UUID
    sku: str
    name: str
    unit_price: Money
    active: bool


@dataclass(frozen=True, slots=True)
class StockLine:
    """A quantity (pieces, ≥ 1) of a product; the same product may stand in several lines."""

    product_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class ReserveStock:
    """Reserve all lines of an order, or none. ``key`` identifies the effect."""

    key: str
    order_id: UUID
    lines: tuple[StockLine, ...]


@dataclass(frozen=True, slots=True)
class HoldStock:
    """Keep the lines for a cart for ``seconds``, nothing else; ``cart_id`` is the id of the order
    that the cart may become."""

    cart_id: UUID
    lines: tuple[StockLine, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class HeldStock:
    """What is kept for a cart, a line for each product of which it is anything. ``ordered``: the
    cart has become an order that holds its stock for good. ``until`` is when the first of them
    ends, where that was asked for."""

    lines: tuple[StockLine, ...]
    ordered: bool = False
    until: datetime | None = None


class ReserveStatus(StrEnum):
    RESERVED = "reserved"
    SHORT = "short"  # at least one product has too little available: nothing was reserved
    CANCELLED = "cancelled"  # its release came first: nothing was nor will be reserved


@dataclass(frozen=True, slots=True)
class Shortage:
    product_id: UUID
    requested: int
    available: int


@dataclass(frozen=True, slots=True)
class ReserveResult:
    key: str
    status: ReserveStatus
    short: tuple[Shortage, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseStock:
    """Undo the reservation made under ``forward_key`` (or fence it off, if it never came)."""

    key: str
    forward_key: str
    order_id: UUID


@dataclass(frozen=True, slots=True)
class DispatchStock:
    """The order's goods left the house: its live reservations become sales."""

    key: str
    order_id: UUID


@dataclass(frozen=True, slots=True)
class ReturnStock:
    """Goods of a sold order came back, fit to be sold again. ``key`` identifies the effect."""

    key: str
    order_id: UUID
    lines: tuple[StockLine, ...]


@dataclass(frozen=True, slots=True)
class StockResult:
    """``quantity`` pieces were moved by the command ``key`` (0 = there was nothing to move)."""

    key: str
    quantity: int


@dataclass(frozen=True, slots=True)
class AdjustStock:
    """Change on_hand by ``delta`` pieces (never below what is reserved)."""

    key: str
    principal: str
    product_id: UUID
    delta: int
    reason: str


@dataclass(frozen=True, slots=True)
class CountLine:
    """On_hand of a product becomes ``on_hand``, or changes by ``delta``; ``line`` names it."""

    line: int
    product_id: UUID
    on_hand: int | None = None
    delta: int | None = None


@dataclass(frozen=True, slots=True)
class CountStock:
    """Counts in their order, once per (principal, key); ``digest`` is of the whole request."""

    key: str
    principal: str
    digest: str
    reason: str
    lines: tuple[CountLine, ...]


@dataclass(frozen=True, slots=True)
class RefusedCount:
    """A line of which nothing was done."""

    line: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class CountReport:
    """Which lines were refused; of the others ``moved`` changed a count."""

    refused: tuple[RefusedCount, ...] = ()
    moved: int = 0


@dataclass(frozen=True, slots=True)
class StockLevel:
    product_id: UUID
    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True)
class ImportProduct:
    """A product by its sku; an existing living one is kept as it is."""

    sku: str
    name: str
    price: Money
    category: str = ""
    description: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReceiveStock:
    """Receive until ``total`` pieces have come in under ``reference``; a repeat adds nothing."""

    reference: str
    product_id: UUID
    total: int


@dataclass(frozen=True, slots=True)
class StockMoment:
    """One movement of an order's goods: the pieces of all its products in one transaction.

    ``kind`` is a word of the stock ledger; ``skus`` names at most three of the ``products``.
    """

    at: datetime
    kind: str
    on_hand: int
    reserved: int
    products: int
    skus: tuple[str, ...]
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class LowStock:
    """A product for sale of which fewer pieces are available than wanted."""

    product_id: UUID
    sku: str
    name: str
    available: int


@dataclass(frozen=True, slots=True)
class ExpiredHolds:
    """How many reservations were released because their time was over, and of how many pieces."""

    holds: int
    pieces: int


class BulkOutcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class BulkError:
    """What is wrong with one field of an item."""

    field: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class BulkItem:
    """A product by its sku; ``values`` are the fields to set besides the price.

    They may be slug, name, description, attributes, active, and category (a slug or None).
    ``errors`` are what the caller found wrong with it already: such an item is only reported.
    """

    sku: str
    values: dict[str, Any]
    price: Money | None = None
    version: int | None = None
    errors: tuple[BulkError, ...] = ()


@dataclass(frozen=True, slots=True)
class UpsertProducts:
    key: str
    principal: str
    items: tuple[BulkItem, ...]


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of the item at ``index``; ``id`` and ``version`` unless it is an error."""

    index: int
    sku: str
    result: BulkOutcome
    id: UUID | None = None
    version: int | None = None
    errors: tuple[BulkError, ...] = ()


@dataclass(frozen=True, slots=True)
class BulkReport:
    results: tuple[BulkResult, ...]


class FeedForm(StrEnum):
    """How the lines of a feed are sent: one JSON object a line, or an array of objects."""

    NDJSON = "ndjson"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class SendFeed:
    """Changes of prices, attributes and stock, as they came; ``counts`` says whether the principal
    may change stock."""

    key: str
    principal: str
    form: FeedForm
    body: bytes
    counts: bool


class LineOutcome(StrEnum):
    """What became of a line of a feed."""

    ACCEPTED = "accepted"  # readers see it, the database will have it soon
    APPLIED = "applied"  # it is in the database
    ERROR = "error"  # nothing of it was done


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong with one field of a line; ``field`` is empty for the line as a whole."""

    line: int
    field: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What became of each line that was not empty, one letter each: ``w`` (it waits) is accepted,
    ``d`` (in the database) applied, ``e`` an error. ``numbers`` are the lines' where they are not
    simply counted from 1. ``version`` (``epoch.counter``) is that of the newest edit that waits.
    """

    outcomes: str
    errors: tuple[LineError, ...] = ()
    version: str = ""
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class EditProduct:
    """A new price, and attributes to be laid over those there (None removes one)."""

    principal: str
    product_id: UUID
    price: Money | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EditKept:
    """``version`` (``epoch.counter``) unless it is in the database already."""

    result: LineOutcome
    version: str = ""
