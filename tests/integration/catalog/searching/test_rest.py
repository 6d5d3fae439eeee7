"""Search and suggestions over HTTP."""

import pytest
from rest_framework.test import APIClient

from apps.catalog import services
from apps.catalog.models import Product
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])
SEARCH, SUGGESTIONS = "/api/v1/catalog/search", "/api/v1/catalog/suggestions"


def get(address: str) -> dict:
    answer = APIClient().get(address)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_an_answer_has_products_as_the_list_has_them():
    shop.product(3, name="Metal Lantern", category="Garden")
    found = get(f"{SEARCH}?q=lantren")
    assert found == {
        "next": None,
        "previous": None,
        "results": get("/api/v1/products")["results"],
        "total": 1,
        "facets": {
            "categories": [{"slug": "garden", "name": "Garden", "parent": None, "count": 1}],
            "prices": [{"from": "2.00", "to": "5.00", "currency": "GBP", "count": 1}],
        },
        "did_you_mean": "lantern",
        "relaxed": False,
        "suggestions": [],
    }
    assert get(f"{SEARCH}?q=lantern&facets=false")["facets"] is None
    nothing = get(f"{SEARCH}?q=zzzz")
    assert (nothing["results"], nothing["suggestions"]) == ([], ["lantern", "metal"])


def test_an_unchanged_answer_is_304():
    shop.product(name="Lantern")
    first = APIClient().get(f"{SEARCH}?q=lantern")
    again = {"If-None-Match": first["ETag"]}
    assert APIClient().get(f"{SEARCH}?q=lantern", headers=again).status_code == 304
    shop.product(name="Red Lantern")
    assert APIClient().get(f"{SEARCH}?q=lantern", headers=again).status_code == 200


def test_pages_lead_forward_and_back_without_gaps_or_repeats():
    for n in range(7):
        shop.product(name=f"Lantern {'x' * (n // 2)}")
    ids = [one["id"] for one in get(f"{SEARCH}?q=lantern")["results"]]
    seen, address = [], f"{SEARCH}?q=lantern&limit=3"
    while address:
        page = get(address)
        seen.append([one["id"] for one in page["results"]])
        last, address = page, page["next"]
    assert seen == [ids[:3], ids[3:6], ids[6:]]
    assert last["total"] == 7
    back = get(last["previous"])
    assert [one["id"] for one in back["results"]] == ids[3:6]
    first = get(back["previous"])
    assert ([one["id"] for one in first["results"]], first["previous"]) == (ids[:3], None)


def test_a_page_goes_on_after_its_last_product_was_removed():
    for n in range(3):
        shop.product(name=f"Lantern {n}")
    page = get(f"{SEARCH}?q=lantern&limit=2")
    rest = get(page["next"])["results"]
    gone = Product.objects.get(public_id=page["results"][-1]["id"])
    services.product_delete(product_pk=gone.pk)
    assert get(page["next"])["results"] == rest


def test_a_cursor_belongs_to_its_search():
    for n in range(2):
        shop.product(name=f"Lantern {n}")
    cursor = get(f"{SEARCH}?q=lantern&limit=1")["next"].partition("cursor=")[2].partition("&")[0]
    listed = get("/api/v1/products?limit=1")["next"].partition("cursor=")[2].partition("&")[0]
    for address in (
        f"{SEARCH}?q=lamp&cursor={cursor}",
        f"{SEARCH}?q=lantern&cursor={listed}",
        f"{SEARCH}?q=lantern&cursor={cursor}x",
        f"{SEARCH}?q=lantern&cursor=",
        f"/api/v1/products?cursor={cursor}",
    ):
        answer = APIClient().get(address)
        assert answer.status_code == 400, address
        assert [one["field"] for one in answer.json()["errors"]] == ["cursor"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("category=garden", ["Lantern Green"]),
        ("category=nowhere", []),
        ("max_price=4", []),
        ("in_stock=true", ["Lantern Red"]),
        ("attributes.colour=red", ["Lantern Red"]),
        ("currency=EUR", []),
    ],
)
def test_the_filters_of_the_list_narrow_it(query, found):
    shop.product(3, name="Lantern Red", attributes={"colour": "red"})
    shop.product(name="Lantern Green", category="Garden")
    answer = get(f"{SEARCH}?q=lantern&{query}")
    assert ([one["name"] for one in answer["results"]], answer["total"]) == (found, len(found))


def test_suggestions(real_names):
    found = get(f"{SUGGESTIONS}?q=red ret&limit=2")
    assert found["terms"] == ["red retrospot", "red retro"]
    assert [one["name"] for one in found["products"]] == ["RED RETROSPOT CUP", "RED RETROSPOT BOWL"]
    assert list(found["products"][0]) == ["id", "slug", "name"]
    assert get(f"{SUGGESTIONS}?q=retr&limit=1")["terms"] == ["retrospot"]
    assert get(f"{SUGGESTIONS}?q=lantren")["terms"][0] == "lantern"
    assert get(f"{SUGGESTIONS}?q=white lantren")["terms"] == ["white lantern"]
    assert get(f"{SUGGESTIONS}?q=!!!") == {"terms": [], "products": []}
    assert get(f"{SUGGESTIONS}?q=qqqqqq") == {"terms": [], "products": []}


def test_suggestions_are_for_sale():
    shop.product(name="Lantern")
    assert len(get(f"{SUGGESTIONS}?q=lant")["products"]) == 1
    Product.objects.update(active=False)
    assert get(f"{SUGGESTIONS}?q=lant")["products"] == []
