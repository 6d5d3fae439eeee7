"""Whatever is written, and however: what visitors see next is what the database has."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from moneyed import Money

from apps.caching.write_behind import Pending, Version
from apps.catalog import bulk, categories, facade, purging, services, stock
from apps.catalog.caching import writing
from apps.catalog.contracts import (
    AdjustStock,
    BulkItem,
    CountLine,
    CountStock,
    HoldStock,
    ReserveStock,
    StockLine,
    UpsertProducts,
)
from apps.catalog.feed import flushing
from apps.catalog.models import Category, Product, StockItem
from apps.common.databases import execute
from apps.messaging.models import StaffChange
from tests.integration.catalog import shop
from tests.integration.catalog.caching.conftest import LIST, at_rest, is_kept
from tests.integration.catalog.people import staff

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "catalog", "orders"])


@dataclass
class Stocked:
    """A product with 10 pieces, 3 of which an order has and 2 a cart."""

    product_id: UUID
    order: ReserveStock
    cart_id: UUID

    @property
    def product(self) -> Product:
        return Product.all_objects.get(public_id=self.product_id)

    @property
    def category(self) -> Category:
        return self.product.category

    @property
    def items(self):
        return StockItem.objects.filter(product_id=self.pk)

    @property
    def pk(self) -> int:
        return self.product.pk


def make(number: int = 0) -> Stocked:
    """The ``number``th such product, in a category of its own."""
    cup = shop.product(10, sku=f"CUP{number}", name="Cup", category=f"Tea {number}")
    one = Stocked(cup, shop.reserve((cup, 3)), uuid4())
    facade.reserve_stock([one.order])
    hold(one, 2)
    return one


@pytest.fixture
def stocked(cache) -> Stocked:
    return make()


def hold(one: Stocked, pieces: int) -> None:
    lines = (StockLine(one.product_id, pieces),) if pieces else ()
    facade.hold_stock(HoldStock(one.cart_id, lines, 60.0))


def expire(one: Stocked) -> None:
    late = "UPDATE catalog_reservation SET expires_at = now() WHERE order_id = %s"
    execute("catalog", late, [one.cart_id])
    assert stock.expire_holds(most=10).holds == 1


def count(one: Stocked) -> None:
    line = CountLine(1, one.product_id, on_hand=40)
    stock.count(CountStock(str(one.cart_id), "staff:1", "d", "Counted", (line,)))


# What moves stock → what is available then, of 5 pieces before.
MOVEMENTS: dict[str, tuple[Callable[[Stocked], object], int]] = {
    "reserve": (lambda one: facade.reserve_stock([shop.reserve((one.product_id, 4))]), 1),
    "reserve for a cart": (
        lambda one: facade.reserve_stock([shop.reserve((one.product_id, 1), order_id=one.cart_id)]),
        6,
    ),
    "release": (lambda one: facade.release_stock([shop.release(one.order)]), 8),
    "dispatch": (lambda one: facade.dispatch_stock([shop.dispatch(one.order)]), 5),
    "return": (lambda one: facade.return_stock([shop.give_back((one.product_id, 2))]), 7),
    "adjust": (
        lambda one: facade.adjust_stock(
            AdjustStock(str(one.cart_id), "staff:1", one.product_id, -1, "Lost")
        ),
        4,
    ),
    "count": (count, 35),
    "receive": (
        lambda one: facade.receive_stock([shop.ReceiveStock("more", one.product_id, 20)]),
        25,
    ),
    "hold more": (lambda one: hold(one, 7), 0),
    "hold nothing": (lambda one: hold(one, 0), 7),
    "expire": (expire, 7),
}


def test_the_stock_shown_is_the_databases_after_each_kind_of_movement(cache, show, get):
    for number, (kind, (move, available)) in enumerate(MOVEMENTS.items()):
        one = make(number)
        page = f"{LIST}?category=tea-{number}"
        [listed] = get(page).json()["results"]
        assert show(one.product_id)["availability"] == listed["availability"]
        assert listed["availability"]["quantity"] == 5, kind
        move(one)
        left = {"in_stock": available > 0, "quantity": available}
        assert show(one.product_id)["availability"] == left, kind
        [listed] = get(page).json()["results"]
        assert listed["availability"] == left, kind
        on_hand, reserved = shop.levels(one.product_id)
        assert on_hand - reserved == available, kind


def test_a_batch_of_orders_costs_one_command_in_each_phase(cache, costs):
    ids = [shop.product(50) for _ in range(8)]
    orders = [shop.reserve(*((one, 1) for one in ids)) for _ in range(20)]
    with costs(queries=None, commands=2):
        facade.reserve_stock(orders)
    with costs(queries=None, commands=2):
        facade.release_stock([shop.release(one) for one in orders])


def test_stale_inventory_cache_medusa_15178(stocked, show):
    """There, stock that an order had taken stayed in the cache until it expired."""
    left = show(stocked.product_id)["availability"]["quantity"]
    order = shop.reserve((stocked.product_id, left))
    facade.reserve_stock([order])
    assert show(stocked.product_id)["availability"] == {"in_stock": False, "quantity": 0}
    facade.release_stock([shop.release(order)])
    assert show(stocked.product_id)["availability"] == {"in_stock": True, "quantity": left}


def upsert(one: Stocked) -> None:
    item = BulkItem(one.product.sku, {"name": "Mug"}, Money("9", "GBP"))
    bulk.products_upsert(UpsertProducts(str(one.cart_id), "staff:1", (item,)))


def restore(one: Stocked) -> None:
    services.product_delete(product_pk=one.pk)
    services.product_restore(product_pk=one.pk)


def rename_shelf(one: Stocked) -> None:
    slug = f"mugs-{one.pk}"
    categories.category_change(category_id=one.category.pk, name="Mugs", slug=slug)


def bulk_update(one: Stocked) -> None:
    product = one.product
    product.name = "Mug"
    Product.objects.bulk_update([product], ["name"])


def save(one: Stocked) -> None:
    product = one.product
    product.name = "Mug"
    product.save()


def save_shelf(one: Stocked) -> None:
    category = one.category
    category.name = "Mugs"
    category.save()


def save_item(one: Stocked) -> None:
    item = one.items.get()
    item.on_hand = 90
    item.save()


CHANGES: dict[str, Callable[[Stocked], object]] = {
    "name": lambda one: services.product_change(
        product_pk=one.pk, version=1, changes={"name": "Mug"}
    ),
    "price": lambda one: services.product_change(
        product_pk=one.pk, version=1, changes={"price": Money("9", "GBP")}
    ),
    "hide": lambda one: services.product_change(
        product_pk=one.pk, version=1, changes={"active": False}
    ),
    "delete": lambda one: services.product_delete(product_pk=one.pk),
    "restore": restore,
    "bulk": upsert,
    "category": rename_shelf,
    # What passes the services by:
    "save": save,
    "save of the category": save_shelf,
    "save of the stock": save_item,
    "update": lambda one: Product.objects.filter(pk=one.pk).update(name="Mug"),
    "update of all": lambda one: Product.all_objects.update(active=False),
    "update of the category": lambda one: Category.objects.filter(pk=one.category.pk).update(
        name="Mugs"
    ),
    "update of the stock": lambda one: one.items.update(on_hand=90),
    "bulk_update": bulk_update,
    "soft delete": lambda one: one.product.delete(),
    "soft delete of a set": lambda one: Product.objects.filter(pk=one.pk).delete(),
}
QUERIES = ("", "ordering=-price", "category=tea-{0}&min_price=4")


def test_what_is_shown_is_the_databases_after_each_kind_of_change(cache, client):
    for number, (kind, change) in enumerate(CHANGES.items()):
        one = make(number)
        address = f"{LIST}/{one.product_id}"
        queries = [query.format(number) for query in QUERIES]
        for page in (address, *(f"{LIST}?{query}" for query in queries)):
            assert client.get(page).status_code == 200
        assert is_kept(one.product_id)
        change(one)
        assert at_rest(one.product_id), kind
        listed = [client.get(f"{LIST}?{query}").json()["results"] for query in queries]
        # With another filter, which takes nothing away, pages are read from the database.
        read = [client.get(f"{LIST}?{query}&in_stock=true").json()["results"] for query in queries]
        assert listed == read, kind


def test_a_new_product_is_on_the_pages_at_once(cache, get):
    shop.product(1, name="B")
    assert len(get(LIST).json()["results"]) == 1
    services.product_create(sku="A", name="A", price=Money(1, "GBP"))
    shop.product(1, name="C")
    assert [one["name"] for one in get(LIST).json()["results"]] == ["A", "B", "C"]


def test_a_purged_product_leaves_nothing(cache, show, get):
    cup = shop.product()
    show(cup)
    services.product_delete(product_pk=Product.objects.get().pk)
    execute("catalog", "UPDATE catalog_product SET deleted = now() - interval '9 days'")
    assert purging.products_purge(days=1) == 1
    get(f"{LIST}/{cup}", 404)
    assert at_rest(cup)


def test_a_change_that_is_rolled_back_is_not_seen_and_readers_keep_filling(stocked, show):
    before = show(stocked.product_id)
    with pytest.raises(ZeroDivisionError), services.transaction.atomic(using="catalog"):
        services.product_change(product_pk=stocked.pk, version=1, changes={"name": "Mug"})
        raise ZeroDivisionError
    assert show(stocked.product_id) == before


def test_staff_may_take_a_product_out_of_the_cache(stocked, show):
    show(stocked.product_id)
    worker = staff("change_product")
    response = worker.delete(f"{LIST}/{stocked.product_id}/cache")
    assert (response.status_code, is_kept(stocked.product_id)) == (204, False)
    row = StaffChange.objects.using("catalog").get()
    assert (row.action, row.subject, row.subject_id) == (
        *("drop_cache", "catalog.product"),
        str(stocked.product_id),
    )
    assert worker.delete(f"{LIST}/{uuid4()}/cache").status_code == 404


def test_without_the_bracket_a_movement_is_not_seen(cache, show, get, monkeypatch):
    """Sabotage: the tests above fail where a service does not say what it changes."""
    monkeypatch.setattr(writing.CatalogChanges, "products", lambda *args, **options: None)
    for test in (
        lambda: test_the_stock_shown_is_the_databases_after_each_kind_of_movement(cache, show, get),
        lambda: test_stale_inventory_cache_medusa_15178(make(99), show),
    ):
        with pytest.raises(AssertionError):
            test()


def test_what_a_flush_wrote_is_there_for_its_next_reader(stocked, get):
    assert get(f"{LIST}/{stocked.product_id}").json()["version"] == 1
    edit = Pending(str(stocked.product_id), Version(5, 1), {"price": b"6.00 GBP"})
    assert flushing.apply([edit]) == []
    assert is_kept(stocked.product_id)
    seen = get(f"{LIST}/{stocked.product_id}").json()
    assert (seen["version"], seen["price"]["amount"]) == (2, "6.00")
    assert at_rest(stocked.product_id)
