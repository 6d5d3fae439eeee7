"""Products go for good when they were deleted long ago and nothing tells of them any more."""

from uuid import UUID

import pytest

from apps.catalog import facade, purging, services
from apps.catalog.models import PriceChange, Product, StockItem
from apps.common import references
from apps.common.databases import execute
from tests.integration.catalog import shop
from tests.trade import Trade

pytestmark = pytest.mark.django_db(databases="__all__")


def delete(product_id: UUID, *, days: float) -> None:
    """As if the product had been deleted so many days ago."""
    execute(
        "catalog",
        "UPDATE catalog_product SET deleted = now() - make_interval(secs => %s)"
        " WHERE public_id = %s",
        [days * 86_400, product_id],
    )


def there() -> set[UUID]:
    return set(Product.all_objects.values_list("public_id", flat=True))


def test_what_nobody_ever_touched_goes_with_all_that_is_its_own():
    product_id = shop.product()
    pk = Product.objects.get(public_id=product_id).pk
    delete(product_id, days=31)
    assert purging.products_purge(days=30) == 1
    assert there() == set()
    assert not StockItem.objects.filter(pk=pk).exists()
    assert not PriceChange.objects.filter(product_id=pk).exists()
    assert purging.products_purge(days=30) == 0


def test_what_was_deleted_lately_or_lives_stays():
    lately, living = shop.product(), shop.product()
    delete(lately, days=29.9)
    assert purging.products_purge(days=30) == 0
    assert there() == {lately, living}


def test_what_stands_in_the_stock_books_stays():
    received = shop.product(5)
    delete(received, days=99)
    assert purging.products_purge(days=30) == 0
    assert there() == {received}
    assert facade.audit_stock() == []


def test_what_stands_in_an_order_stays_though_stock_never_moved(gateway):
    trade = Trade(skus=("MUG",), stock=0)  # sold out: the order is cancelled, nothing moved
    trade.place(MUG=1)
    delete(trade.products["MUG"], days=99)
    assert purging.products_purge(days=30) == 0
    execute("orders", "DELETE FROM orders_orderline")
    assert purging.products_purge(days=30) == 1


def test_those_that_stay_do_not_keep_the_others_from_going():
    kept = [shop.product(1) for _ in range(3)]
    gone = [shop.product() for _ in range(5)]
    for product_id in (*kept, *gone):
        delete(product_id, days=99)
    assert purging.products_purge(days=30, size=2) == 5
    assert there() == set(kept)


def test_a_restored_product_stays():
    product_id = shop.product()
    delete(product_id, days=99)
    services.product_restore(product_pk=Product.all_objects.get(public_id=product_id).pk)
    assert purging.products_purge(days=30) == 0


def test_where_nobody_knows_what_refers_to_it_nothing_goes(monkeypatch):
    monkeypatch.setattr(references, "_finders", {})
    product_id = shop.product()
    delete(product_id, days=99)
    with pytest.raises(LookupError, match=r"nobody knows what refers to catalog\.product"):
        purging.products_purge(days=30)
    assert there() == {product_id}
