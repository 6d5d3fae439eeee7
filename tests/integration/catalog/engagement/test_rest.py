"""The shop window over HTTP."""

from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from apps.catalog import services
from apps.catalog.engagement import reading, recording
from apps.catalog.engagement.names import key
from apps.catalog.models import Product
from apps.common.redis import durable
from apps.customers.models import User
from tests.integration.catalog import shop
from tests.integration.catalog.engagement.orders import Sale, tell
from tests.integration.catalog.engagement.test_recording import no_redis  # noqa: F401

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])
ANN = {"X-Visitor-ID": "ann"}


@pytest.fixture
def products() -> list[UUID]:
    return [shop.product(5, name=name) for name in ("Tea", "Cup", "Pot")]


@pytest.fixture
def ask():
    """GETs below /api/v1/, by nobody unless told otherwise."""

    def ask(path: str, user: User | None = None, **headers):
        client = APIClient()
        if user is not None:
            client.force_authenticate(user)
        return client.get(f"/api/v1/{path}", headers=headers)

    return ask


def look(ask, *product_ids: UUID, user: User | None = None, **headers) -> None:
    """Looks at the products; what was recorded is in Redis afterwards."""
    for product_id in product_ids:
        answer = ask(f"products/{product_id}", user, **headers)
        assert answer.status_code in (200, 304)
    recording.buffer.flush()


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    assert answer.json()["complete"] is True
    return [one["name"] for one in answer.json()["results"]]


def test_what_is_looked_at_trends_and_is_remembered(ask, products):
    tea, cup, _ = products
    look(ask, cup, tea, tea, **ANN)
    trending = ask("catalog/trending")
    assert names(trending) == ["Tea", "Cup"]
    assert trending.json()["results"][0] == ask(f"products/{tea}").json()
    assert trending["Cache-Control"] == "public, max-age=15"
    assert names(ask("catalog/trending?limit=1")) == ["Tea"]
    mine = ask("catalog/recently-viewed", **ANN)
    assert names(mine) == ["Tea", "Cup"] and mine["Vary"].startswith("X-Visitor-ID")
    assert names(ask("catalog/recently-viewed", **{"X-Visitor-ID": "ben"})) == []
    assert names(ask("catalog/recently-viewed")) == ["Tea", "Cup"]


def test_a_customer_has_a_list_of_their_own(ask, products):
    ada = User.objects.create_user(email="ada@example.com", name="Ada")
    ben = User.objects.create_user(email="ben@example.com", name="Ben")
    look(ask, *products, user=ada, **ANN)
    assert names(ask("me/recently-viewed", ada)) == ["Pot", "Cup", "Tea"]
    assert names(ask("me/recently-viewed?limit=2", ada)) == ["Pot", "Cup"]
    assert names(ask("me/recently-viewed", ben)) == []
    assert names(ask("catalog/recently-viewed", **ANN)) == []
    assert ask("me/recently-viewed").status_code == 401


def test_a_304_is_a_look_and_head_staff_robots_and_404_are_none(ask, products):
    tea, cup, _ = products
    staff = User.objects.create_user(email="s@example.com", name="Sam", is_staff=True)
    etag = ask(f"products/{tea}")["ETag"]
    recording.buffer.flush()
    look(ask, tea, **{"If-None-Match": etag})
    APIClient().head(f"/api/v1/products/{cup}")
    look(ask, cup, user=staff)
    look(ask, cup, **{"User-Agent": "Examplebot/1.0 (+https://example.com)"})
    assert ask(f"products/{uuid4()}").status_code == 404
    recording.buffer.flush()
    views = [reading.insights(one).views_today for one in products]
    assert views == [2, 0, 0]


def test_only_what_is_for_sale_is_shown_and_the_window_stays_full(ask, products):
    _, cup, pot = products
    look(ask, *products, pot, pot, cup)
    services.product_delete(product_pk=Product.objects.get(public_id=pot).pk)
    assert names(ask("catalog/trending?limit=2")) == ["Cup", "Tea"]
    assert names(ask("catalog/recently-viewed")) == ["Cup", "Tea"]


def test_best_sellers_of_each_period_and_what_is_bought_together(ask, products):
    tea, cup, pot = products
    tell(
        *Sale({tea: 1, cup: 3}).sold(),
        *Sale({tea: 1, pot: 1}).sold(),
        *Sale({tea: 1, cup: 1}).sold(),
    )
    for period in ("day", "week", "all"):
        assert names(ask(f"catalog/best-sellers?period={period}")) == ["Cup", "Tea", "Pot"]
    assert names(ask("catalog/best-sellers?limit=1")) == ["Cup"]
    assert names(ask(f"products/{tea}/related")) == ["Cup", "Pot"]
    assert names(ask(f"products/{pot}/related")) == ["Tea"]
    assert ask(f"products/{uuid4()}/related").status_code == 404


@pytest.mark.parametrize(
    ("path", "headers", "field"),
    [
        ("catalog/trending?limit=0", {}, "limit"),
        ("catalog/trending?limit=101", {}, "limit"),
        ("catalog/trending?period=week", {}, "period"),
        ("catalog/best-sellers?period=year", {}, "period"),
        ("catalog/recently-viewed", {"X-Visitor-ID": ""}, "X-Visitor-ID"),
        ("catalog/recently-viewed", {"X-Visitor-ID": "v" * 65}, "X-Visitor-ID"),
        ("catalog/recently-viewed", {"X-Visitor-ID": "a b"}, "X-Visitor-ID"),
    ],
)
def test_what_cannot_be_understood_is_refused(ask, path, headers, field):
    answer = ask(path, **headers)
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_a_malformed_visitor_may_still_look_at_products(ask, products):
    look(ask, products[0], **{"X-Visitor-ID": "<script>"})
    assert reading.insights(products[0]).visitors[0] == (1, 1)
    assert names(ask("catalog/recently-viewed")) == ["Tea"]


def test_insights_for_staff(ask, products):
    tea, cup, _ = products
    boss = User.objects.create_superuser(email="boss@example.com", password="x", name="Boss")
    look(ask, tea, tea, **ANN)
    look(ask, tea, **{"X-Visitor-ID": "ben"})
    tell(*Sale({tea: 2, cup: 1}).sold(), *Sale({tea: 1, cup: 1}).sold())
    assert ask(f"products/{tea}/insights", boss).json() == {
        "views_today": 3,
        "visitors": [{"days": days, "visitors": 2} for days in (1, 7, 30)],
        "sold_today": 3,
        "sold_week": 3,
        "bought_together": [{"id": str(cup), "name": "Cup", "orders": 2}],
        "complete": True,
    }
    assert ask(f"products/{uuid4()}/insights", boss).status_code == 404
    assert ask(f"products/{tea}/insights").status_code == 401


def test_without_redis_the_front_page_has_no_lists_and_products_are_read(
    ask,
    products,
    no_redis,  # noqa: F811
):
    tea = products[0]
    assert ask(f"products/{tea}", **ANN).status_code == 200
    paths = ("trending", "best-sellers", "recently-viewed")
    for path in (*[f"catalog/{one}" for one in paths], f"products/{tea}/related"):
        answer = ask(path)
        assert answer.status_code == 200
        assert answer.json() == {"results": [], "complete": False}
        assert answer["Cache-Control"] == "no-store"


def test_a_window_that_is_not_cached_costs_one_query(ask, products, django_assert_num_queries):
    look(ask, *products)
    with django_assert_num_queries(1, using="catalog"):
        assert set(names(ask("catalog/trending"))) == {"Tea", "Cup", "Pot"}


@pytest.fixture
def brass(ask) -> None:
    """Two names that begin alike; most searches were for the second."""
    shop.product(5, name="Brass Candlestick")
    shop.product(5, name="Brass Lamp")
    for query, times in (("brass candlestick", 1), ("Brass  LAMP", 4), ("brass nothing", 9)):
        for _ in range(times):
            assert ask(f"catalog/search?q={query}").status_code == 200
    recording.buffer.flush()


def test_what_many_searched_for_and_found_is_suggested_first(ask, brass):
    assert ask("catalog/suggestions?q=br&limit=2").json()["terms"][0] == "brass lamp"
    assert reading.popular_terms("brass", 9) == ["brass lamp"]
    counted = durable().zrange(key("terms"), 0, -1)
    assert sorted(counted) == [b"brass candlestick", b"brass lamp"]
