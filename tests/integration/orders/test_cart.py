"""Carts over HTTP: whose they are, what is in them, and what they hold."""

from uuid import uuid4

import pytest

from apps.catalog.models import Product
from apps.common.redis import durable
from apps.orders.cart import services, store
from apps.orders.cart.contracts import MAX_LINES, Owner, new_token
from tests.integration.catalog import shop
from tests.integration.orders.carts import Person, errors, quantities

pytestmark = pytest.mark.django_db(databases=["default", "catalog", "orders"])
EMPTY = {"version": 0, "items": [], "total": None, "held_until": None}


@pytest.fixture
def ada() -> Person:
    return Person()


@pytest.fixture
def visitor() -> Person:
    return Person(logged_in=False)


def test_nobody_has_anything_in_the_cart_at_first(ada, visitor):
    for person in (ada, visitor):
        answer = person.ask("GET")
        assert (answer.status_code, answer.json()) == (200, EMPTY)
        assert "X-Cart-Token" not in answer.headers
        assert answer.headers["Cache-Control"] == "private, no-store"


def test_an_item_is_shown_with_what_it_costs_and_how_many_there_are(ada):
    cup, mug = shop.product(5, name="Cup"), shop.product(1, name="Mug")
    ada.put(cup, 2)
    answer = ada.put(mug, 3)
    body = answer.json()
    price = {"amount": "4.20", "currency": "GBP"}
    assert body["items"] == [
        {
            "product_id": str(cup),
            "quantity": 2,
            "for_sale": True,
            "name": "Cup",
            "unit_price": price,
            "sku": body["items"][0]["sku"],
            "total": {"amount": "8.40", "currency": "GBP"},
            "available": 5,
            "held": 2,
        },
        {
            "product_id": str(mug),
            "quantity": 3,
            "for_sale": True,
            "name": "Mug",
            "unit_price": price,
            "sku": body["items"][1]["sku"],
            "total": {"amount": "12.60", "currency": "GBP"},
            "available": 1,
            "held": 1,
        },
    ]
    assert body["total"] == {"amount": "21.00", "currency": "GBP"}
    assert body["held_until"] is not None
    assert answer.headers["ETag"] == f'"{body["version"]}"'
    assert ada.ask("GET").json() == body


def test_items_are_set_added_to_and_taken_out(ada):
    cup, mug = shop.product(50), shop.product(50)
    assert quantities(ada.put(cup, 2)) == {cup: 2}
    assert quantities(ada.put(cup, 3)) == {cup: 3}
    assert quantities(ada.add(cup, 2)) == {cup: 5}
    assert quantities(ada.add(mug, 1)) == {cup: 5, mug: 1}
    assert quantities(ada.add(cup, -4)) == {cup: 1, mug: 1}
    assert quantities(ada.add(mug, -9)) == {cup: 1}
    assert quantities(ada.remove(cup)) == {}
    assert ada.ask("GET").json() == EMPTY
    ada.put(cup, 1)
    assert ada.ask("DELETE").status_code == 204
    assert (ada.ask("DELETE").status_code, ada.quantities()) == (204, {})
    assert shop.levels(cup) == (50, 0)


@pytest.mark.parametrize(
    ("method", "body", "error"),
    [
        ("PUT", {"quantity": 0}, ("quantity", "min_value")),
        ("PUT", {"quantity": 1_001}, ("quantity", "max_value")),
        ("PUT", {"quantity": "1"}, ("quantity", "invalid")),
        ("PUT", {}, ("quantity", "required")),
        ("PUT", {"quantity": 1, "price": 1}, ("price", "unknown_field")),
        ("PATCH", {"add": 1.5}, ("add", "invalid")),
    ],
)
def test_a_bad_quantity_is_refused_by_name(ada, method, body, error):
    cup = shop.product(5)
    answer = ada.ask(method, f"/items/{cup}", body)
    assert (answer.status_code, errors(answer)) == (400, [error])
    assert ada.quantities() == {}


def test_a_product_that_is_not_for_sale_is_refused(ada):
    cup = shop.product(5)
    Product.objects.filter(public_id=cup).update(active=False)
    for product_id in (cup, uuid4()):
        answer = ada.put(product_id, 1)
        assert (answer.status_code, errors(answer)) == (400, [("product_id", "unknown_product")])
    assert ada.quantities() == {}


def test_one_that_is_not_for_sale_any_more_is_shown_as_such(ada):
    cup = shop.product(5)
    ada.put(cup, 1)
    Product.objects.filter(public_id=cup).update(active=False)
    [item] = ada.ask("GET").json()["items"]
    assert (item["for_sale"], item["quantity"], item["unit_price"]) == (False, 1, None)
    assert quantities(ada.remove(cup)) == {}


def test_a_cart_has_its_limits(ada):
    first = shop.product(5)
    ada.put(first, 900)
    answer = ada.add(first, 101)
    assert (answer.status_code, errors(answer)) == (400, [("quantity", "max_quantity")])
    store.edit(
        ada.owner,
        lambda cart: services._next(cart, {uuid4(): 1 for _ in range(MAX_LINES)}),
    )
    answer = ada.put(first, 1)
    assert (answer.status_code, errors(answer)) == (400, [("product_id", "too_many_lines")])


def test_what_is_not_there_cannot_be_taken_out(ada, visitor):
    cup, mug = shop.product(5), shop.product(5)
    ada.put(cup, 1)
    assert ada.remove(mug).status_code == 404
    assert visitor.remove(mug).status_code == 404
    assert ada.quantities() == {cup: 1}


def test_an_edit_of_another_version_is_refused(ada):
    cup = shop.product(5)
    first = ada.put(cup, 1).headers["ETag"]
    second = ada.put(cup, 2, **{"If-Match": first}).headers["ETag"]
    for stale in (
        ada.put(cup, 3, **{"If-Match": first}),
        ada.add(cup, 3, **{"If-Match": first}),
        ada.remove(cup, **{"If-Match": first}),
        ada.ask("DELETE", **{"If-Match": first}),
        ada.checkout(**{"If-Match": first}),
        ada.put(cup, 3, **{"If-Match": '"0"'}),
    ):
        assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
    assert ada.quantities() == {cup: 2}
    assert ada.remove(cup, **{"If-Match": second}).status_code == 200
    later = ada.put(cup, 1, **{"If-Match": '"0"'}).headers["ETag"]
    assert later not in (first, second)


# --- whose it is --------------------------------------------------------------------------------
def test_a_visitors_cart_is_found_by_its_token_alone(visitor):
    cup = shop.product(5)
    assert quantities(visitor.put(cup, 2)) == {cup: 2}
    token = visitor.token
    assert (len(token), visitor.quantities()) == (43, {cup: 2})
    assert visitor.put(cup, 3).headers.get("X-Cart-Token") is None
    stranger = Person(logged_in=False)
    for guess in ("", new_token(), token[:-1] + ("A" if token[-1] != "A" else "B")):
        stranger.token = guess
        assert stranger.quantities() == {}
        assert stranger.remove(cup).status_code == 404
        stranger.ask("DELETE")
    assert visitor.quantities() == {cup: 3}


def test_nobody_chooses_his_own_token(visitor):
    cup = shop.product(5)
    visitor.token = chosen = new_token()
    visitor.put(cup, 2)
    assert visitor.token != chosen
    visitor.token = chosen
    assert visitor.quantities() == {}


def test_visitors_begin_so_many_carts_and_no_more(settings):
    settings.API_REQUESTS_PER_MINUTE = {"new_cart": 2}
    cup, visitors = shop.product(5), [Person(logged_in=False) for _ in range(3)]
    address = f"2001:db8::{uuid4().hex[:4]}:{uuid4().hex[:4]}"
    for one in visitors:
        one.client.defaults["REMOTE_ADDR"] = address
    answers = [one.put(cup, 1) for one in visitors]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) >= 1
    assert visitors[0].put(cup, 2).status_code == 200
    assert Person().put(cup, 2).status_code == 200


@pytest.mark.parametrize("token", ["x", "a" * 44, "a" * 42 + "/", "a:b"])
def test_what_is_no_token_is_refused(visitor, token):
    visitor.token = token
    answer = visitor.ask("GET")
    assert (answer.status_code, errors(answer)) == (400, [("X-Cart-Token", "invalid")])


def test_redis_does_not_keep_the_token(visitor):
    visitor.put(shop.product(5), 2)
    keys = list(durable().scan_iter("holdfast:cart:*", count=1_000))
    assert keys
    assert [key for key in keys if visitor.token.encode() in key] == []


def test_a_customer_has_one_cart_and_nobody_elses(ada, visitor):
    cup, ben = shop.product(5), Person()
    ada.put(cup, 2)
    visitor.put(cup, 1)
    ben.token = visitor.token  # it is not asked for: he is logged in
    assert ben.quantities() == {}
    assert ben.remove(cup).status_code == 404
    assert (ada.quantities(), visitor.quantities()) == ({cup: 2}, {cup: 1})


def test_who_logs_in_takes_the_cart_of_before_over_once(ada, visitor):
    cup, mug = shop.product(2_000), shop.product(5)
    visitor.put(cup, 990)
    visitor.put(mug, 1)
    ada.put(cup, 20)
    ada.token = visitor.token
    assert quantities(ada.ask("POST", "/merge")) == {cup: 1_000, mug: 1}
    assert (shop.levels(cup), shop.levels(mug)) == ((2_000, 1_000), (5, 1))
    assert ada.ask("POST", "/merge").status_code == 404
    assert (visitor.quantities(), ada.quantities()) == ({}, {cup: 1_000, mug: 1})


def test_a_cart_is_merged_by_whoever_is_logged_in_and_has_a_token(ada, visitor):
    assert visitor.ask("POST", "/merge").status_code == 401
    assert errors(ada.ask("POST", "/merge")) == [("X-Cart-Token", "invalid")]


def test_owners_never_meet():
    same = uuid4()
    assert Owner.customer(same).key != Owner.bearer(str(same)).key
