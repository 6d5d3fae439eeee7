"""The events that the catalogue publishes: of products, of categories and of stock."""

from dataclasses import dataclass
from uuid import UUID

from moneyed import Money

from apps.messaging.contracts import EventContract

RESERVATION = "reservation"  # told of per order


@dataclass(frozen=True, slots=True)
class InCategory:
    """The category that a product stands in.

    Attributes:
        category_id: Which one.
        name: Its name at that moment; a new one comes with ``category.updated``.
    """

    category_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class ProductState:
    """The product as it is from now on.

    Attributes:
        product_id: Which one.
        sku: Its stock keeping unit, unique among the living.
        name: Its name.
        slug: The last part of its address in the shop.
        price: What one piece costs.
        active: Whether it is for sale.
        category: Where it stands; null for nowhere.
    """

    product_id: UUID
    sku: str
    name: str
    slug: str
    price: Money
    active: bool
    category: InCategory | None


@dataclass(frozen=True, slots=True)
class ProductDeleted:
    """What is out of the shop.

    Attributes:
        product_id: Which one.
        sku: The SKU that it had; another product may take it.
        name: The name that it had.
    """

    product_id: UUID
    sku: str
    name: str


@dataclass(frozen=True, slots=True)
class CategoryState:
    """The category as it is from now on.

    Attributes:
        category_id: Which one.
        name: Its name.
        slug: The last part of its address in the shop.
        parent_id: The category above it; null for the topmost.
    """

    category_id: UUID
    name: str
    slug: str
    parent_id: UUID | None


@dataclass(frozen=True, slots=True)
class CategoryDeleted:
    """What is gone; it was empty.

    Attributes:
        category_id: Which one.
        name: The name that it had.
        slug: The slug that it had; another one may take it.
    """

    category_id: UUID
    name: str
    slug: str


@dataclass(frozen=True, slots=True)
class Pieces:
    """So many pieces of a product; each product stands once in an event.

    Attributes:
        product_id: Of what.
        quantity: How many, at least 1.
    """

    product_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class StockReserved:
    """What is promised to an order, or for a while to the cart that it would come of.

    Attributes:
        order_id: Which one; of a cart, the id that its order would have.
        lines: All that the order needs, or what the cart holds more than before.
    """

    order_id: UUID
    lines: tuple[Pieces, ...]


@dataclass(frozen=True, slots=True)
class ShortOf:
    """A product of which an order needs more than there is.

    Attributes:
        product_id: Which one.
        requested: How many pieces the order needs.
        available: How many were free, 0 also where the product is not in the shop.
    """

    product_id: UUID
    requested: int
    available: int


@dataclass(frozen=True, slots=True)
class StockRejected:
    """An order that got nothing.

    Attributes:
        order_id: Which one.
        short: What there was too little of, not the rest of the order.
    """

    order_id: UUID
    short: tuple[ShortOf, ...]


@dataclass(frozen=True, slots=True)
class StockReleased:
    """What is no longer promised to an order, or to the cart that it would come of.

    Attributes:
        order_id: Which one; of a cart, the id that its order would have.
        lines: What was free again.
        cause: ``released`` by the order's own process or by a change of the cart, ``expired``
            because its time was over.
    """

    order_id: UUID
    lines: tuple[Pieces, ...]
    cause: str


@dataclass(frozen=True, slots=True)
class StockAdjusted:
    """A corrected count.

    Attributes:
        product_id: Of what.
        delta: The pieces added, or taken away where negative.
        on_hand: The pieces in the house since.
        available: Those of them that nobody has been promised.
        reason: What the person said.
    """

    product_id: UUID
    delta: int
    on_hand: int
    available: int
    reason: str


@dataclass(frozen=True, slots=True)
class StockDepleted:
    """A product of which no piece is available any more.

    Attributes:
        product_id: Which one.
        on_hand: The pieces still in the house, all of them promised.
    """

    product_id: UUID
    on_hand: int


@dataclass(frozen=True, slots=True)
class StockRestocked:
    """A product of which there is more.

    Attributes:
        product_id: Which one.
        quantity: How many pieces became available.
        available: How many are available since.
        cause: ``received``, ``returned``, ``released`` or ``adjusted``.
    """

    product_id: UUID
    quantity: int
    available: int
    cause: str


PRODUCT_CREATED = EventContract("product.created", 1, ProductState, "A new product.")
PRODUCT_UPDATED = EventContract(
    "product.updated",
    1,
    ProductState,
    "Something about it changed, be it only its description or attributes.",
)
PRODUCT_DELETED = EventContract(
    "product.deleted", 1, ProductDeleted, "It was taken out of the shop; it may be restored."
)
PRODUCT_RESTORED = EventContract(
    "product.restored", 1, ProductState, "A deleted product was brought back."
)
CATEGORY_CREATED = EventContract("category.created", 1, CategoryState, "A new category.")
CATEGORY_UPDATED = EventContract("category.updated", 1, CategoryState, "It was renamed or moved.")
CATEGORY_DELETED = EventContract(
    "category.deleted", 1, CategoryDeleted, "An empty category was deleted; it may be restored."
)
CATEGORY_RESTORED = EventContract(
    "category.restored", 1, CategoryState, "A deleted category was brought back."
)
STOCK_RESERVED = EventContract(
    "stock.reserved", 1, StockReserved, "All pieces of an order are promised to it.", RESERVATION
)
STOCK_REJECTED = EventContract(
    "stock.rejected",
    1,
    StockRejected,
    "There was too little for an order: it got nothing.",
    RESERVATION,
)
STOCK_RELEASED = EventContract(
    "stock.released", 1, StockReleased, "Pieces promised to an order are free again.", RESERVATION
)
STOCK_ADJUSTED = EventContract("stock.adjusted", 1, StockAdjusted, "Staff corrected a count.")
STOCK_DEPLETED = EventContract(
    "stock.depleted", 1, StockDepleted, "The last available piece of a product was taken."
)
STOCK_RESTOCKED = EventContract(
    "stock.restocked",
    1,
    StockRestocked,
    "Goods came in or came back, or pieces became available where there were none.",
)
CONTRACTS = (
    PRODUCT_CREATED,
    PRODUCT_UPDATED,
    PRODUCT_DELETED,
    PRODUCT_RESTORED,
    CATEGORY_CREATED,
    CATEGORY_UPDATED,
    CATEGORY_DELETED,
    CATEGORY_RESTORED,
    STOCK_RESERVED,
    STOCK_REJECTED,
    STOCK_RELEASED,
    STOCK_ADJUSTED,
    STOCK_DEPLETED,
    STOCK_RESTOCKED,
)
