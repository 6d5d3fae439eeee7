"""The catalogue as other apps see it: contracts in, contracts out, each write once by its key."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

from apps.catalog import audit, bulk, desk, importing, selectors, stock
from apps.catalog.contracts import (
    AdjustStock,
    BulkReport,
    DispatchStock,
    EditKept,
    EditProduct,
    ExpiredHolds,
    FeedReport,
    HeldStock,
    HoldStock,
    ImportProduct,
    LowStock,
    Offer,
    ReceiveStock,
    ReleaseStock,
    ReserveResult,
    ReserveStock,
    ReturnStock,
    SendFeed,
    StockLevel,
    StockMoment,
    StockResult,
    UpsertProducts,
)
from apps.catalog.feed import draining, editing, sending
from apps.common.audit import Finding


def get_offers(product_ids: Sequence[UUID]) -> tuple[Offer, ...]:
    """The living ones of these products as they can be sold now; one query, no cache.

    Edits of them that wait are written first: an order pays the price that readers were shown. An
    inactive product is offered with ``active=False``; unknown and deleted ones are left out.
    """
    draining.drain(product_ids)
    return selectors.offers_get(product_ids=product_ids)


def stock_levels(product_ids: Sequence[UUID]) -> tuple[StockLevel, ...]:
    """The stock of these products; unknown ones are left out."""
    return selectors.stock_levels_get(product_ids=product_ids)


def reserve_stock(
    commands: Sequence[ReserveStock], correlation_ids: Mapping[UUID, str] | None = None
) -> list[ReserveResult]:
    """Reserves all lines of each order or none, in one transaction; results in the given order.

    An order whose product is unknown or deleted is short of it. Raises ``Conflict``
    (``key_reused``) or ``InvalidInput`` (a line of less than one piece): nothing was reserved.
    ``correlation_ids``, here and below, name the request behind each order; its events carry it.
    """
    return stock.reserve(commands, correlation_ids)


def hold_stock(command: HoldStock) -> HeldStock:
    """Makes what is held for a cart what the command says; see ``stock.holding.hold``."""
    return stock.hold(command)


def held_stock(cart_id: UUID) -> HeldStock:
    """What is held for the cart now."""
    return selectors.held_stock_get(cart_id=cart_id)


def expire_holds(cart_ids: Sequence[UUID]) -> ExpiredHolds:
    """Ends the holds of these carts whose time is over, in one transaction."""
    return stock.expire_holds(most=len(cart_ids), cart_ids=cart_ids)


def end_holds(cart_ids: Sequence[UUID]) -> ExpiredHolds:
    """Ends what is held under these ids, whether its time is over or not, in one transaction."""
    if not selectors.any_held(cart_ids=cart_ids):
        return ExpiredHolds(0, 0)
    return stock.end_holds(cart_ids)


def release_stock(
    commands: Sequence[ReleaseStock], correlation_ids: Mapping[UUID, str] | None = None
) -> list[StockResult]:
    """Frees what each order holds, or fences its reservation off; in one transaction."""
    return stock.release(commands, correlation_ids)


def dispatch_stock(commands: Sequence[DispatchStock]) -> list[StockResult]:
    """Turns what each order holds into sales, in one transaction."""
    return stock.dispatch(commands)


def return_stock(
    commands: Sequence[ReturnStock], correlation_ids: Mapping[UUID, str] | None = None
) -> list[StockResult]:
    """Puts goods that came back onto the shelf, in one transaction; results in the given order.

    Raises ``NotFound`` for a product that was never stocked: nothing was moved then.
    """
    return stock.give_back(commands, correlation_ids)


def adjust_stock(command: AdjustStock) -> StockLevel:
    """Corrects a count, once per (principal, key); see ``stock.moving.adjust`` for the errors."""
    return stock.adjust(command)


def receive_stock(commands: Sequence[ReceiveStock]) -> int:
    """Tops products up under their references, in one transaction; returns the pieces added."""
    return stock.receive(commands)


def import_products(products: Sequence[ImportProduct]) -> dict[str, UUID]:
    """Makes the products that do not live yet: sku → public id of all of them."""
    return importing.products_import(products=products)


def upsert_products(command: UpsertProducts) -> BulkReport:
    """Makes or changes many products by sku, each with a result of its own, once per key."""
    return bulk.products_upsert(command)


def send_feed(command: SendFeed) -> FeedReport:
    """Changes prices, attributes and stock line by line, once per key; edits of the first two are
    seen by readers at once and reach the database a moment later."""
    return sending.feed_send(command)


def edit_product(command: EditProduct) -> EditKept:
    """Changes price and attributes of one product as a line of a feed does."""
    return editing.product_edit(command)


def catalogue_is_empty() -> bool:
    """Whether there has never been a product."""
    return selectors.catalogue_is_empty()


def audit_stock() -> list[Finding]:
    """Σ live reservations = reserved ≤ on_hand and Σ ledger = both, for every product."""
    return audit.stock_findings()


def count_stock_items() -> int:
    """How many products ``audit_stock`` looks at."""
    return audit.stock_items_count()


def live_reservations_by_order() -> Iterator[tuple[UUID, int]]:
    """Each order that holds stock now, with its pieces; streamed."""
    return audit.live_reservations_by_order()


def sold_stock() -> dict[UUID, int]:
    """What left the house by the stock ledger: order → pieces."""
    return audit.sold_stock()


def returned_stock() -> dict[UUID, dict[UUID, int]]:
    """What came back onto the shelf by the stock ledger: order → product → pieces."""
    return audit.returned_stock()


def stock_moments(order_id: UUID) -> tuple[StockMoment, ...]:
    """What the stock ledger says of the order, one moment per movement, oldest first."""
    return desk.stock_moments_of(order_id=order_id)


def low_stock(*, below: int, most: int = 10) -> tuple[int, tuple[LowStock, ...]]:
    """How many products for sale have fewer than ``below`` pieces available, and the scarcest."""
    return desk.stock_low(below=below, most=most)


def find_products(skus: Collection[str]) -> dict[str, UUID]:
    """The living ones of these SKUs: sku → product id."""
    return desk.products_find(skus=skus)
