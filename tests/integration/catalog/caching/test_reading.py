"""Products, their list and the tree by the cache: the same answers, at a known price."""

from uuid import uuid4

import pytest
from moneyed import Money

from apps.caching.keys import Key
from apps.catalog import categories, services
from apps.catalog.caching.names import PRODUCT
from apps.catalog.models import Category, Product
from tests.integration.catalog import shop
from tests.integration.catalog.caching.conftest import LIST, is_kept
from tests.integration.catalog.people import staff

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "catalog"])


def test_a_product_is_loaded_once_and_then_costs_one_command(cache, get, costs):
    cup = shop.product(3)
    with costs(queries=1, commands=3):  # a look, is the id known, a fill
        cold = get(f"{LIST}/{cup}")
    with costs(queries=0, commands=1):
        warm = get(f"{LIST}/{cup}")
    assert (warm.content, warm["ETag"]) == (cold.content, cold["ETag"])
    with costs(queries=0, commands=1):
        assert get(f"{LIST}/{cup}", 304, if_none_match=cold["ETag"]).content == b""


def test_a_forged_answer_is_a_miss(cache, get):
    cup = shop.product(3)
    true = get(f"{LIST}/{cup}")
    value = Key(PRODUCT, str(cup)).value
    for forged in ({"json": b'{"id":"forged"}'}, {"version": b"9"}, {"etag": b'"1.forged"'}):
        cache.hset(value, mapping=forged)
        again = get(f"{LIST}/{cup}")
        assert (again.content, again["ETag"]) == (true.content, true["ETag"])


def test_a_page_of_twenty_takes_two_queries_and_then_none(cache, get, costs):
    for n in range(25):
        shop.product(n, name=f"Thing {n:02}")
    with costs(queries=2, commands=5):
        cold = get(LIST)
    with costs(queries=0, commands=2):
        warm = get(LIST)
    assert len(cold.json()["results"]) == 20
    assert (warm.content, warm["ETag"]) == (cold.content, cold["ETag"])
    with costs(queries=2, commands=5):
        assert len(get(cold.json()["next"]).json()["results"]) == 5


def test_the_answer_is_what_the_database_answers(cache, get, costs):
    for n in range(3):
        shop.product(n, category="Tea", attributes={"n": [n, 2.5, None]})
    one = Product.objects.first().public_id
    asked = (
        f"{LIST}/{one}",
        LIST,
        f"{LIST}?limit=2&ordering=-price&category=tea",
        "/api/v1/categories",
    )
    cold = [get(address) for address in asked]
    warm = [get(address) for address in asked]
    assert [one.content for one in warm] == [one.content for one in cold]
    for response in warm:
        for name in ("Content-Type", "Cache-Control", "Vary", "Allow"):
            assert response.get(name) == cold[warm.index(response)].get(name)
    fields = get(f"{LIST}/{one}?fields=price,id,attributes")
    whole = warm[0].json()
    assert list(fields.json().items()) == [
        (name, whole[name]) for name in ("price", "id", "attributes")
    ]
    assert fields["ETag"] != warm[0]["ETag"]
    assert fields["ETag"].startswith('"1.')


def test_the_tree_is_kept_until_a_category_changes(cache, get, costs):
    shop.product(1, category="Tea")
    tree = get("/api/v1/categories").json()
    with costs(queries=0, commands=1):
        assert get("/api/v1/categories").json() == tree
    tea = Category.objects.get()
    categories.category_change(category_id=tea.pk, name="Teas", slug="tea")
    assert get("/api/v1/categories").json()["results"][0]["name"] == "Teas"


def test_staff_see_other_states_from_the_database(cache, get):
    cup = shop.product(1)
    product = Product.objects.get(public_id=cup)
    get(f"{LIST}/{cup}")
    services.product_change(product_pk=product.pk, version=1, changes={"active": False})
    get(f"{LIST}/{cup}", 404)
    looking = staff("view_product")
    assert looking.get(f"{LIST}/{cup}?state=inactive").status_code == 200


def test_an_unknown_product_is_kept_as_none_until_it_is_made(cache, get, costs):
    made = uuid4()
    get(f"{LIST}/{made}", 404)
    assert cache.hexists(Key(PRODUCT, str(made)).value, "_none")
    with costs(queries=0, commands=1):
        get(f"{LIST}/{made}", 404)
    Product.objects.create(public_id=made, sku="A", slug="a", name="A", price=1)
    assert get(f"{LIST}/{made}").json()["name"] == "A"


def test_a_product_made_by_the_service_is_written_through(cache, get, costs):
    made = services.product_create(sku="A", name="A", price=Money(1, "GBP"))
    assert is_kept(made.public_id)
    with costs(queries=0, commands=1):
        get(f"{LIST}/{made.public_id}")
