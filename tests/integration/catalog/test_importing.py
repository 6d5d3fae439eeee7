"""Products in bulk."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from apps.catalog import facade, services
from apps.catalog.contracts import ImportProduct
from apps.catalog.models import Category, Product, StockItem
from apps.common.errors import InvalidInput

pytestmark = pytest.mark.django_db(databases=["catalog"])


def wish(sku: str, name: str = "Cup", **values) -> ImportProduct:
    return ImportProduct(sku, name, Money("1.25", "GBP"), **values)


def test_an_import_makes_what_is_missing_and_keeps_what_lives():
    first = facade.import_products([wish("A", category="Tea Time", attributes={"n": 1})])
    services.product_change(
        product_pk=Product.objects.get().pk, version=1, changes={"name": "Renamed"}
    )
    both = facade.import_products([wish("A"), wish("B", category="Tea Time"), wish("B", "Twice")])
    assert both["A"] == first["A"]
    assert set(Product.objects.values_list("sku", "name", "category__name")) == {
        ("A", "Renamed", "Tea Time"),
        ("B", "Cup", "Tea Time"),
    }
    assert Category.objects.count() == 1
    assert StockItem.objects.filter(on_hand=0, reserved=0).count() == 2
    [offer] = facade.get_offers([both["B"]])
    assert (offer.sku, offer.unit_price, offer.active) == ("B", Money("1.25", "GBP"), True)


def test_a_deleted_product_of_the_same_sku_stays_deleted_and_a_new_one_is_made():
    old = facade.import_products([wish("A")])["A"]
    services.product_delete(product_pk=Product.objects.get().pk)
    new = facade.import_products([wish("A")])["A"]
    assert new != old
    assert Product.all_objects.count() == 2


def test_slugs_stay_unique_whatever_the_names_are():
    ids = facade.import_products([wish("C", "a b"), wish("B C", "a"), wish("b c", "a"), wish("§")])
    assert len(set(ids.values())) == 4
    assert Product.objects.values("slug").distinct().count() == 4


def test_one_bad_product_stops_the_import_and_is_named():
    with pytest.raises(InvalidInput) as caught:
        facade.import_products([wish("A"), wish("B", " ")])
    assert [(one.field, one.code) for one in caught.value.errors] == [("products[1].name", "blank")]
    assert not Product.all_objects.exists()


def test_the_number_of_statements_does_not_grow_with_the_products():
    with CaptureQueriesContext(
        connections["catalog"],
    ) as queries:
        facade.import_products([wish(f"S{n}") for n in range(300)])
    assert len(queries) <= 11
    assert StockItem.objects.count() == 300


def test_an_empty_import_is_empty():
    assert facade.import_products([]) == {}
    assert facade.catalogue_is_empty()
