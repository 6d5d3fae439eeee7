"""What is told of products and categories; ``apps.catalog.stock.events`` tells of stock.

Called in the transaction that changed the rows, while it holds their locks. What they are now is
read back in one query, whatever way they were written; ``version`` is the row's own.

A purge tells nothing: what it removes was told to be deleted.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from moneyed import Money

from apps.catalog.enums import DATABASE
from apps.catalog.event_contracts import (
    CATEGORY_CREATED,
    CATEGORY_DELETED,
    CATEGORY_RESTORED,
    CATEGORY_UPDATED,
    PRODUCT_CREATED,
    PRODUCT_DELETED,
    PRODUCT_RESTORED,
    PRODUCT_UPDATED,
    CategoryDeleted,
    CategoryState,
    InCategory,
    ProductDeleted,
    ProductState,
)
from apps.common.correlation import current_request_id
from apps.common.databases import fetch_all
from apps.messaging.contracts import EventContract
from apps.messaging.outbox import Event, append

PRODUCTS = """
    SELECT p.version, p.public_id, p.sku, p.name, p.slug, p.price, p.price_currency, p.active,
           c.public_id, c.name
    FROM catalog_product p LEFT JOIN catalog_category c ON c.id = p.category_id
    WHERE p.id = ANY(%s::bigint[]) ORDER BY p.id
"""
CATEGORIES = """
    SELECT c.version, c.public_id, c.name, c.slug, parent.public_id
    FROM catalog_category c LEFT JOIN catalog_category parent ON parent.id = c.parent_id
    WHERE c.id = ANY(%s::bigint[]) ORDER BY c.id
"""


def products_created(pks: Sequence[int]) -> None:
    """``product.created`` of each, by primary key."""
    _tell_products(PRODUCT_CREATED, pks)


def products_updated(pks: Sequence[int]) -> None:
    _tell_products(PRODUCT_UPDATED, pks)


def product_restored(pk: int) -> None:
    _tell_products(PRODUCT_RESTORED, [pk])


def product_deleted(pk: int) -> None:
    _append(
        PRODUCT_DELETED,
        (
            (version, ProductDeleted(product_id, sku, name))
            for version, product_id, sku, name, *_ in fetch_all(DATABASE, PRODUCTS, [[pk]])
        ),
    )


def categories_created(pks: Sequence[int]) -> None:
    """``category.created`` of each, by primary key."""
    _tell_categories(CATEGORY_CREATED, pks)


def category_updated(pk: int) -> None:
    _tell_categories(CATEGORY_UPDATED, [pk])


def category_restored(pk: int) -> None:
    _tell_categories(CATEGORY_RESTORED, [pk])


def category_deleted(pk: int) -> None:
    _append(
        CATEGORY_DELETED,
        (
            (version, CategoryDeleted(category_id, name, slug))
            for version, category_id, name, slug, _ in fetch_all(DATABASE, CATEGORIES, [[pk]])
        ),
    )


def _tell_products(contract: EventContract, pks: Sequence[int]) -> None:
    if pks:
        rows = fetch_all(DATABASE, PRODUCTS, [list(pks)])
        _append(contract, ((version, _product(*row)) for version, *row in rows))


def _product(
    product_id: UUID,
    sku: str,
    name: str,
    slug: str,
    price: Decimal,
    currency: str,
    active: bool,
    category_id: UUID | None,
    category: str | None,
) -> ProductState:
    stands_in = None if category_id is None else InCategory(category_id, category)
    return ProductState(product_id, sku, name, slug, Money(price, currency), active, stands_in)


def _tell_categories(contract: EventContract, pks: Sequence[int]) -> None:
    if pks:
        rows = fetch_all(DATABASE, CATEGORIES, [list(pks)])
        _append(contract, ((version, CategoryState(*row)) for version, *row in rows))


def _append(
    contract: EventContract,
    told: Iterable[tuple[int, ProductState | ProductDeleted | CategoryState | CategoryDeleted]],
) -> None:
    cause = current_request_id()
    append(
        DATABASE,
        [
            Event(contract, getattr(state, f"{contract.aggregate_kind}_id"), version, state, cause)
            for version, state in told
        ],
    )
