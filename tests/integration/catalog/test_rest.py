"""The products' addresses, as a shop's visitor sees them."""

from uuid import uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from apps.catalog import categories, facade, services
from apps.catalog.models import Product
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])
LIST = "/api/v1/products"
LIST_QUERIES = 3


@pytest.fixture
def get(client):
    def get(address: str, status: int = 200, **headers):
        response = client.get(address, headers=headers)
        assert response.status_code == status, response.content
        return response

    return get


def names(response) -> list[str]:
    return [one["name"] for one in response.json()["results"]]


def refused(response) -> list[tuple[str, str]]:
    assert response["Content-Type"] == "application/problem+json"
    return [(one["field"], one["code"]) for one in response.json()["errors"]]


def test_a_product_shows_price_category_and_availability(get):
    cup = shop.product(
        10,
        sku="CUP",
        name="Blue Cup",
        price=Money("4.5", "GBP"),
        category="Tea",
        description="Holds tea.",
        attributes={"colour": "blue"},
    )
    facade.reserve_stock([shop.reserve((cup, 4))])
    body = get(f"{LIST}/{cup}").json()
    assert body.pop("updated_at").endswith("Z") and body.pop("created_at").endswith("Z")
    tea = Product.objects.get().category
    assert body == {
        "id": str(cup),
        "sku": "CUP",
        "slug": "blue-cup-cup",
        "name": "Blue Cup",
        "description": "Holds tea.",
        "attributes": {"colour": "blue"},
        "price": {"amount": "4.50", "currency": "GBP"},
        "category": {"id": str(tea.public_id), "slug": "tea", "name": "Tea"},
        "availability": {"in_stock": True, "quantity": 6},
        "active": True,
        "version": 1,
        "deleted_at": None,
    }
    assert get(LIST).json()["results"][0]["availability"] == {"in_stock": True, "quantity": 6}


def test_an_unchanged_product_is_304_and_a_change_of_stock_is_not(get):
    cup = shop.product(10)
    etag = get(f"{LIST}/{cup}")["ETag"]
    fresh = get(f"{LIST}/{cup}", 304, if_none_match=etag)
    assert (fresh.content, fresh["ETag"]) == (b"", etag)
    facade.reserve_stock([shop.reserve((cup, 4))])
    changed = get(f"{LIST}/{cup}", if_none_match=etag)
    assert changed["ETag"] != etag


@pytest.mark.parametrize("how", ["unknown", "inactive", "deleted", "malformed"])
def test_what_is_not_for_sale_is_404_and_not_listed(get, how):
    address = shop.product(3)
    product = Product.objects.get(public_id=address)
    if how == "unknown":
        address = uuid4()
        services.product_delete(product_pk=product.pk)
    elif how == "inactive":
        services.product_change(product_pk=product.pk, version=1, changes={"active": False})
    elif how == "deleted":
        services.product_delete(product_pk=product.pk)
    else:
        address = "CUP"
        services.product_delete(product_pk=product.pk)
    response = get(f"{LIST}/{address}", 404)
    assert response.json()["code"] == "not_found"
    assert names(get(LIST)) == []


def test_pages_follow_each_other_by_cursor(get):
    for name in "DBACE":
        shop.product(name=name)
    first = get(f"{LIST}?limit=2")
    second = get(first.json()["next"])
    third = get(second.json()["next"])
    assert [names(page) for page in (first, second, third)] == [["A", "B"], ["C", "D"], ["E"]]
    assert third.json()["next"] is None
    assert names(get(third.json()["previous"])) == ["C", "D"]
    assert names(get(f"{LIST}?ordering=-name&limit=2")) == ["E", "D"]


def test_search_looks_into_name_and_sku(get):
    shop.product(sku="85123A", name="White Hanging Heart")
    shop.product(sku="71053", name="White Lantern")
    assert names(get(f"{LIST}?search=heart")) == ["White Hanging Heart"]
    assert names(get(f"{LIST}?search=710")) == ["White Lantern"]
    assert names(get(f"{LIST}?search=WHITE")) == ["White Hanging Heart", "White Lantern"]
    assert names(get(f"{LIST}?search=%25")) == []


def test_a_category_holds_what_is_below_it(get):
    shop.product(name="Cup", category="Tea")
    shop.product(name="Lamp", category="Light")
    tea = Product.objects.get(name="Cup").category
    pots = categories.category_create(name="Pots", parent_id=tea.pk)
    pot = services.product_create(sku="P", name="Pot", price=Money("1", "GBP"), category_id=pots.pk)
    assert pot.category_id == pots.pk
    assert names(get(f"{LIST}?category=tea")) == ["Cup", "Pot"]
    assert names(get(f"{LIST}?category=pots")) == ["Pot"]
    assert names(get(f"{LIST}?category=nothing")) == []


def test_in_stock_means_something_is_left(get):
    sold_out = shop.product(2, name="Gone")
    shop.product(2, name="Here")
    shop.product(0, name="Never")
    facade.reserve_stock([shop.reserve((sold_out, 2))])
    assert names(get(f"{LIST}?in_stock=true")) == ["Here"]
    assert names(get(f"{LIST}?in_stock=false")) == ["Gone", "Never"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("in_stock=maybe", "in_stock"),
        ("colour=blue", "colour"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
        ("ordering=colour", "ordering"),
        ("min_price=cheap", "min_price"),
        ("min_price=-1", "min_price"),
        ("max_price=1.999", "max_price"),
        ("currency=JPY", "currency"),
        ("state=sold", "state"),
        ("fields=", "fields"),
        ("fields=id,price,cost", "fields"),
        ("attributes.=x", "attributes."),
        ("attributes.a.=x", "attributes.a."),
        (f"attributes.a={'x' * 201}", "attributes.a"),
        ("&".join(f"attributes.a={n}" for n in range(11)), "attributes"),
        ("search=%00", "search"),
        (f"search={'x' * 101}", "search"),
        (f"category={'x' * 121}", "category"),
    ],
)
def test_a_query_that_makes_no_sense_is_400_and_named(get, query, field):
    assert [one for one, _ in refused(get(f"{LIST}?{query}", 400))] == [field]


def test_a_product_takes_no_query_parameters(get):
    assert refused(get(f"{LIST}/{shop.product()}?as_of=now", 400)) == [
        ("as_of", "unknown_parameter")
    ]


def test_a_full_page_costs_few_queries(get):
    for n in range(30):
        shop.product(n, category=f"Shelf {n}")
    for query, least in (("category=shelf-1&in_stock=true&search=thing", 1), ("", 30)):
        with (
            CaptureQueriesContext(connections["catalog"]) as catalog,
            CaptureQueriesContext(connections["default"]) as default,
        ):
            assert len(get(f"{LIST}?limit=30&{query}").json()["results"]) >= least
        assert len(catalog) + len(default) <= LIST_QUERIES
