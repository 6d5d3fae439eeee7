"""Entries and words follow the products, whoever writes these, in the same transaction."""

import pytest
from django.db import connections, transaction

from apps.catalog import searching, services
from apps.catalog.models import Product
from apps.catalog.searching import clock
from apps.common.databases import execute, fetch_all, fetch_one
from apps.common.errors import Unavailable
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])
STALE = """
    SELECT count(*) FROM catalog_product p FULL JOIN catalog_searchentry e ON e.product_id = p.id
    WHERE e.vector IS DISTINCT FROM
              catalog_search_vector(p.name, p.sku, p.description, p.category_id)
       OR e.for_sale IS DISTINCT FROM (p.active AND p.deleted IS NULL)
       OR e.category_id IS DISTINCT FROM p.category_id
       OR e.name_length IS DISTINCT FROM char_length(p.name)
"""


def entries() -> list[tuple]:
    return fetch_all("catalog", "SELECT ctid::text, product_id FROM catalog_searchentry")


def found(text: str) -> int:
    return searching.search(text=text, limit=5, facets=False).total


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("UPDATE catalog_product SET name = 'Raw Spade'", "spade"),
        ("UPDATE catalog_product SET sku = 'RAW-9', name = name", "raw9"),
        ("UPDATE catalog_product SET description = 'Of zinc.'", "zinc"),
    ],
)
def test_raw_writers_are_followed(change, text):
    shop.product(name="Lantern")
    execute("catalog", change)
    assert found(text) == 1
    assert fetch_one("catalog", STALE) == (0,)


def test_what_is_rolled_back_was_never_found():
    shop.product(name="Lantern")
    with pytest.raises(RuntimeError), transaction.atomic(using="catalog"):
        Product.objects.update(name="Spade")
        shop.product(name="Bucket")
        assert (found("spade"), found("bucket")) == (1, 1)
        raise RuntimeError
    assert (found("lantern"), found("spade"), found("bucket")) == (1, 0, 0)


@pytest.mark.django_db(databases=["default", "catalog", "orders"])
def test_services_are_followed_to_the_end(real_names):
    product = Product.objects.order_by("pk")[0]
    services.product_delete(product_pk=product.pk)
    execute("catalog", "SET LOCAL holdfast.maintenance = 'on'")
    execute("catalog", "DELETE FROM catalog_pricechange WHERE product_id = %s", [product.pk])
    services.product_purge(product_pk=product.pk)
    assert fetch_one("catalog", STALE) == (0,)
    assert len(entries()) == len(real_names) - 1


def test_a_price_touches_nothing_of_the_search():
    shop.product(5, name="Lantern")
    before = entries()
    Product.objects.update(price=7, version=9)
    Product.objects.update(name="Lantern", active=True)
    assert entries() == before


def test_words_are_learnt_once_and_counted_when_asked():
    for name in ("Red Lantern", "Red Bucket 2B", "Blue Lantern"):
        shop.product(name=name)
    rows = "SELECT word, documents FROM catalog_searchword ORDER BY word"
    assert [word for word, _ in fetch_all("catalog", rows)] == ["blue", "bucket", "lantern", "red"]
    Product.objects.filter(name="Blue Lantern").update(active=False)
    assert searching.words_count() == 3
    assert fetch_all("catalog", rows) == [("bucket", 1), ("lantern", 1), ("red", 2)]


def test_a_long_search_is_stopped(monkeypatch):
    monkeypatch.setattr(clock, "TIMEOUT_MS", 20)
    with pytest.raises(Unavailable) as stopped, clock.in_time():
        fetch_all("catalog", "SELECT pg_sleep(20)")
    assert stopped.value.code == "search_timeout"
    with connections["catalog"].cursor() as cursor:
        cursor.execute("SELECT 1")  # the connection goes on
