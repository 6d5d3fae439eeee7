"""Reads."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, QuerySet
from django.db.models.functions import Coalesce
from moneyed import Money

from apps.catalog.contracts import HeldStock, Offer, StockLevel, StockLine
from apps.catalog.enums import DATABASE, CategoryState, ProductState
from apps.catalog.models import Category, PriceChange, Product, StockItem, StockLedgerEntry
from apps.common.databases import fetch_all


def offers_get(*, product_ids: Sequence[UUID]) -> tuple[Offer, ...]:
    """The living ones of these products, each once, in no particular order."""
    rows = fetch_all(
        DATABASE,
        "SELECT public_id, sku, name, price, price_currency, active FROM catalog_product"
        " WHERE public_id = ANY(%s::uuid[]) AND deleted IS NULL",
        [list(product_ids)],
        prepared=True,
    )
    return tuple(
        Offer(public_id, sku, name, Money(amount, currency), active)
        for public_id, sku, name, amount, currency, active in rows
    )


def stock_levels_get(*, product_ids: Sequence[UUID]) -> tuple[StockLevel, ...]:
    """The stock of these products, deleted ones included, in no particular order."""
    rows = fetch_all(
        DATABASE,
        "SELECT p.public_id, s.on_hand, s.reserved FROM catalog_stockitem s"
        " JOIN catalog_product p ON p.id = s.product_id WHERE p.public_id = ANY(%s::uuid[])",
        [list(product_ids)],
    )
    return tuple(StockLevel(*row) for row in rows)


def held_stock_get(*, cart_id: UUID) -> HeldStock:
    """What is held for the cart; ``ordered`` where its order has reserved."""
    rows = fetch_all(
        DATABASE,
        "SELECT p.public_id, r.quantity, r.expires_at FROM catalog_reservation r"
        " JOIN catalog_product p ON p.id = r.product_id"
        " WHERE r.order_id = %s AND r.status = 'live' ORDER BY r.id",
        [cart_id],
    )
    ends = [end for _, _, end in rows]
    if None in ends:
        return HeldStock((), ordered=True)
    lines = tuple(StockLine(product_id, pieces) for product_id, pieces, _ in rows)
    return HeldStock(lines, until=min(ends, default=None))


def product_ids(*, at_once: int) -> Iterator[list[str]]:
    """The public ids of all products, deleted ones too, so many at once."""
    last = 0
    while rows := fetch_all(
        DATABASE,
        "SELECT id, public_id FROM catalog_product WHERE id > %s ORDER BY id LIMIT %s",
        [last, at_once],
    ):
        yield [str(public_id) for _, public_id in rows]
        last = rows[-1][0]


def any_held(*, cart_ids: Sequence[UUID]) -> bool:
    """Whether anything is held for one of these carts."""
    [row] = fetch_all(
        DATABASE,
        "SELECT EXISTS (SELECT FROM catalog_reservation WHERE order_id = ANY(%s::uuid[])"
        " AND status = 'live' AND expires_at IS NOT NULL)",
        [list(cart_ids)],
    )
    return row[0]


def holds_count() -> tuple[int, int, float]:
    """How many carts hold stock, how many pieces, and for how many seconds the first of these holds
    should have ended."""
    [row] = fetch_all(
        DATABASE,
        "SELECT count(DISTINCT order_id), coalesce(sum(quantity), 0)::bigint, greatest(0, coalesce("
        "extract(epoch FROM clock_timestamp() - min(expires_at)), 0))::float8"
        " FROM catalog_reservation WHERE status = 'live' AND expires_at IS NOT NULL",
    )
    return row


def catalogue_is_empty() -> bool:
    """Whether there has never been a product, not even one that was deleted since."""
    return not Product.all_objects.exists()


def products_for_sale() -> QuerySet[Product]:
    """What customers may see: living and active, with category and ``available`` pieces."""
    return products(state=ProductState.FOR_SALE)


def products_listed() -> QuerySet[Product]:
    """As ``products_for_sale``, with no more of each than says where it stands in a list."""
    rows = Product.objects.using(DATABASE).filter(active=True)
    return rows.only("public_id", "name", "price", "price_currency", "created_at")


def products(*, state: ProductState) -> QuerySet[Product]:
    """The products in this state, with category and ``available`` pieces."""
    rows = {
        ProductState.FOR_SALE: Product.objects.filter(active=True),
        ProductState.INACTIVE: Product.objects.filter(active=False),
        ProductState.DELETED: Product.deleted_objects.all(),
        ProductState.ANY: Product.all_objects.all(),
    }[state]
    available = Coalesce(F("stock_item__on_hand") - F("stock_item__reserved"), 0)
    return rows.using(DATABASE).select_related("category").annotate(available=available)


class _AnyOf(Func):
    """``column = ANY(ARRAY(SELECT …))``."""

    template, arg_joiner = "%(expressions)s)", " = ANY("
    output_field = BooleanField()


def sold_out() -> _AnyOf:
    """A condition on products: nothing is left.

    Few are, and nothing tells PostgreSQL so: joined, it would walk all products in the order of
    the page until it has met enough of them. An array is made first.
    """
    empty = StockItem.objects.using(DATABASE).filter(on_hand__lte=F("reserved"))
    return _AnyOf(F("pk"), ArraySubquery(empty.values("product_id")))


def product_get(*, public_id: UUID, state: ProductState = ProductState.ANY) -> Product | None:
    """The product, if it is in this state, with category and ``available`` pieces."""
    return products(state=state).filter(public_id=public_id).first()


def price_changes(*, product_pk: int) -> QuerySet[PriceChange]:
    """What the product cost, and since when."""
    return PriceChange.objects.using(DATABASE).filter(product_id=product_pk)


def stock_movements(*, product_pk: int) -> QuerySet[StockLedgerEntry]:
    """All that happened to the product's stock."""
    return StockLedgerEntry.objects.using(DATABASE).filter(product_id=product_pk)


def categories(*, state: CategoryState = CategoryState.LIVING) -> list[Category]:
    """All categories in this state, by name; one query."""
    deleted = state == CategoryState.DELETED
    rows = Category.deleted_objects.all() if deleted else Category.objects.all()
    return list(rows.using(DATABASE).order_by("name", "pk"))


def category_get(*, public_id: UUID, deleted: bool = False) -> Category | None:
    """The category, living or (only if asked for) deleted, with the one above it."""
    rows = Category.all_objects if deleted else Category.objects
    return rows.using(DATABASE).select_related("parent").filter(public_id=public_id).first()


def category_pk(*, slug: str) -> int | None:
    """The primary key of the living category of this slug."""
    rows = Category.objects.using(DATABASE).filter(slug=slug)
    return rows.values_list("pk", flat=True).first()


def category_subtree(*, slug: str) -> list[int]:
    """The living category of this slug and all below it (primary keys); empty if unknown."""
    rows = fetch_all(
        DATABASE,
        """
        WITH RECURSIVE below AS (
            SELECT id FROM catalog_category WHERE slug = %s AND deleted IS NULL
            UNION
            SELECT child.id FROM catalog_category child JOIN below ON child.parent_id = below.id
            WHERE child.deleted IS NULL
        )
        SELECT id FROM below
        """,
        [slug],
    )
    return [pk for (pk,) in rows]
