"""Finding products: price, attributes, words, order, state, sparse fields."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from moneyed import Money
from rest_framework.test import APIClient

from apps.catalog import categories, services
from apps.catalog.models import Product
from tests.integration.catalog import shop
from tests.integration.catalog.people import customer, staff

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])
LIST = "/api/v1/products"


def found(query: str, client: APIClient | None = None) -> list[str]:
    answer = (client or APIClient()).get(f"{LIST}?{query}")
    assert answer.status_code == 200, answer.content
    return [one["name"] for one in answer.json()["results"]]


def pages(query: str) -> list[str]:
    names, address = [], f"{LIST}?limit=2&{query}"
    while address:
        page = APIClient().get(address).json()
        names += [one["name"] for one in page["results"]]
        address = page["next"]
    return names


@pytest.fixture
def prices() -> None:
    for name, amount, currency in (
        ("Dear", "30.00", "GBP"),
        ("Cheap", "1.50", "GBP"),
        ("Middle", "10.00", "GBP"),
        ("Twin", "10.00", "GBP"),
        ("Foreign", "10.00", "EUR"),
    ):
        shop.product(name=name, price=Money(amount, currency))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("min_price=10", ["Dear", "Middle", "Twin"]),
        ("max_price=10.00", ["Cheap", "Middle", "Twin"]),
        ("min_price=1.51&max_price=29.99", ["Middle", "Twin"]),
        ("min_price=5&currency=EUR", ["Foreign"]),
        ("currency=EUR", ["Foreign"]),
        ("currency=USD", []),
        ("min_price=20&max_price=5", []),
        ("max_price=0", []),
    ],
)
def test_a_price_range_is_in_one_currency(prices, query, names):
    assert found(query) == names


def test_every_order_pages_without_gaps_or_repeats(prices):
    assert pages("ordering=price&currency=GBP") == ["Cheap", "Middle", "Twin", "Dear"]
    assert pages("ordering=-price&currency=GBP") == ["Dear", "Twin", "Middle", "Cheap"]
    assert pages("ordering=created_at") == ["Dear", "Cheap", "Middle", "Twin", "Foreign"]
    assert pages("ordering=-created_at") == ["Foreign", "Twin", "Middle", "Cheap", "Dear"]
    assert pages("") == ["Cheap", "Dear", "Foreign", "Middle", "Twin"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("attributes.material=wood", ["Board", "Spoon"]),
        ("attributes.material=wood&attributes.colour=red", ["Spoon"]),
        ("attributes.material=wood&attributes.material=steel", ["Board", "Knife", "Spoon"]),
        ("attributes.material=woo", []),
        ("attributes.Material=wood", []),
        ("attributes.pieces=2", ["Knife", "Spoon"]),
        ("attributes.pieces=2.0", ["Knife"]),
        ("attributes.sharp=true", ["Knife"]),
        ("attributes.tags=kitchen", ["Board"]),
        ("attributes.size.width=40", ["Board"]),
        ("attributes.size=40", []),
        ("attributes.sharp=null", ["Spoon"]),
        ("attributes.material=%22wood%22", []),
        ("attributes.material=", []),
    ],
)
def test_attributes_are_found_by_value_in_lists_and_inside_objects(query, names):
    shop.product(
        name="Board",
        attributes={"material": "wood", "tags": ["kitchen", "oak"], "size": {"width": 40}},
    )
    shop.product(name="Knife", attributes={"material": "steel", "pieces": 2, "sharp": True})
    shop.product(
        name="Spoon",
        attributes={"material": "wood", "pieces": "2", "colour": "red", "sharp": None},
    )
    assert found(query) == names


def test_the_search_wants_every_word_somewhere():
    shop.product(sku="TEA-1", name="Blue Cup", description="Holds tea, 50% more.")
    shop.product(sku="TEA-2", name="Blue Pot", description="Of stoneware_clay")
    assert found("search=blue cup") == ["Blue Cup"]
    assert found("search=tea- stoneware") == ["Blue Pot"]
    assert found("search=TEA BLUE") == ["Blue Cup", "Blue Pot"]
    assert found("search=red blue") == []
    assert found("search=50%25") == ["Blue Cup"]
    assert found("search=e_c") == ["Blue Pot"]
    assert found("search=%5C") == []
    assert found("search=b_ue") == []
    assert found("search=b%25e") == []
    assert found("search=b\N{FULLWIDTH PERCENT SIGN}e") == []
    assert found("search=BL\N{LATIN CAPITAL LETTER U WITH DIAERESIS}E cup") == ["Blue Cup"]
    assert found("search=%20") == ["Blue Cup", "Blue Pot"]


def test_filters_narrow_together():
    tea = categories.category_create(name="Tea")
    for n in range(4):
        services.product_create(
            sku=f"S{n}",
            name=f"Cup {n}",
            price=Money(n, "GBP"),
            category_id=tea.pk if n else None,
            attributes={"odd": bool(n % 2)},
        )
    assert found("search=cup&category=tea&attributes.odd=true&min_price=2&in_stock=false") == [
        "Cup 3"
    ]


class TestStates:
    @pytest.fixture(autouse=True)
    def _products(self):
        for name in ("Sold", "Hidden", "Gone"):
            shop.product(name=name)
        rows = {one.name: one for one in Product.objects.all()}
        services.product_change(product_pk=rows["Hidden"].pk, version=1, changes={"active": False})
        services.product_delete(product_pk=rows["Gone"].pk)
        self.ids = {name: one.public_id for name, one in rows.items()}

    @pytest.mark.parametrize(
        ("state", "names"),
        [
            ("for_sale", ["Sold"]),
            ("inactive", ["Hidden"]),
            ("deleted", ["Gone"]),
            ("any", ["Gone", "Hidden", "Sold"]),
        ],
    )
    def test_staff_see_what_customers_do_not(self, state, names):
        client = staff("view_product")
        assert found(f"state={state}", client) == names
        for name, public_id in self.ids.items():
            answer = client.get(f"{LIST}/{public_id}?state={state}")
            assert answer.status_code == (200 if name in names else 404)
            if name in names:
                body = answer.json()
                assert (body["active"], body["deleted_at"] is None) == (
                    name != "Hidden",
                    name != "Gone",
                )
        assert found("", client) == ["Sold"]

    @pytest.mark.parametrize("state", ["inactive", "deleted", "any"])
    def test_others_do_not(self, state):
        for address in (LIST, f"{LIST}/{self.ids['Sold']}", f"{LIST}/{self.ids['Gone']}"):
            for client, status in (
                (APIClient(), 401),
                (customer("view_product"), 403),
                (staff("change_product"), 403),
            ):
                assert client.get(f"{address}?state={state}").status_code == status
        assert found("state=for_sale") == ["Sold"]


def test_only_the_fields_asked_for_are_sent():
    cup = shop.product(3, name="Cup")
    [one] = APIClient().get(f"{LIST}?fields=name,id,availability").json()["results"]
    availability = {"in_stock": True, "quantity": 3}
    assert one == {"name": "Cup", "id": str(cup), "availability": availability}
    whole = APIClient().get(f"{LIST}/{cup}")
    sparse = APIClient().get(f"{LIST}/{cup}?fields=sku, sku,version")
    assert list(sparse.json()) == ["sku", "version"]
    assert sparse["ETag"] != whole["ETag"]


def test_an_unchanged_page_is_304():
    shop.product(name="Cup")
    first = APIClient().get(LIST)
    assert APIClient().get(LIST, headers={"If-None-Match": first["ETag"]}).status_code == 304
    shop.product(name="Pot")
    assert APIClient().get(LIST, headers={"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "",
        "search=thing&attributes.a=1&min_price=1&in_stock=true&category=shelf",
        "ordering=price&fields=name,category",
    ],
)
def test_a_list_costs_the_same_however_long_it_is(query):
    counts = []
    for n in (1, 30):
        for _ in range(n):
            shop.product(5, category="Shelf", attributes={"a": 1})
        with CaptureQueriesContext(connections["catalog"]) as queries:
            assert len(found(f"limit=100&{query}")) == Product.objects.count()
        counts.append(len(queries) - 1)  # the count above
    assert counts[0] == counts[1] <= 2
