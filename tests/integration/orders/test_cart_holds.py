"""What customers' carts hold of the stock, and how carts are kept in Redis."""

import pytest
import redis
from django.db import OperationalError
from django.test import override_settings

from apps.catalog import facade as catalog
from apps.catalog.contracts import ExpiredHolds
from apps.common.databases import execute
from apps.common.redis import durable
from apps.orders.cart import services, store
from apps.orders.cart.contracts import Owner, new_token
from tests.integration.catalog import shop
from tests.integration.orders.carts import Person, quantities

pytestmark = pytest.mark.django_db(databases=["default", "catalog", "orders"])
EMPTY = {"version": 0, "items": [], "total": None, "held_until": None}


@pytest.fixture
def ada() -> Person:
    return Person()


@pytest.fixture
def visitor() -> Person:
    return Person(logged_in=False)


# --- what it holds ------------------------------------------------------------------------------
def test_what_is_in_a_customers_cart_is_nobody_elses_for_a_while(ada):
    cup, ben = shop.product(3), Person()
    ada.put(cup, 2)
    [item] = ben.put(cup, 2).json()["items"]
    assert (item["available"], item["held"]) == (1, 1)
    assert shop.levels(cup) == (3, 3)
    ada.remove(cup)
    [item] = ben.put(cup, 2).json()["items"]
    assert (item["available"], item["held"]) == (3, 2)
    assert catalog.audit_stock() == []


def test_a_visitors_cart_holds_nothing(visitor):
    cup = shop.product(3)
    [item] = visitor.put(cup, 2).json()["items"]
    assert (item["available"], item["held"], shop.levels(cup)) == (3, 0, (3, 0))


@override_settings(CART_HOLD_SECONDS=0)
def test_a_shop_may_let_carts_hold_nothing(ada):
    cup = shop.product(3)
    ada.put(cup, 2)
    assert shop.levels(cup) == (3, 0)


def test_an_edit_is_kept_although_nothing_can_be_held(ada, monkeypatch):
    cup = shop.product(3)

    def hold_stock(command):
        raise OperationalError("lock timeout")

    monkeypatch.setattr(services.catalog, "hold_stock", hold_stock)
    [item] = ada.put(cup, 2).json()["items"]
    assert (item["quantity"], item["held"]) == (2, 0)


def test_an_edit_that_reaches_the_stock_late_does_not_undo_a_later_one(ada, monkeypatch):
    """Two edits, in one order in Redis and in the other in the database."""
    cup, hold = shop.product(9), catalog.hold_stock

    def late(command):
        monkeypatch.setattr(services.catalog, "hold_stock", hold)
        ada.put(cup, 5)
        return hold(command)

    monkeypatch.setattr(services.catalog, "hold_stock", late)
    ada.put(cup, 2)
    assert (ada.quantities(), shop.levels(cup)) == ({cup: 5}, (9, 5))
    monkeypatch.setattr(services.catalog, "hold_stock", _removing(ada, hold))
    ada.put(cup, 7)
    assert (ada.quantities(), shop.levels(cup)) == ({}, (9, 0))


def _removing(person: Person, hold):
    done = []

    def late(command):
        if not done:
            done.append(True)
            person.ask("DELETE")
        return hold(command)

    return late


def test_a_cart_that_redis_lost_holds_nothing_once_its_time_is_over(ada):
    cup = shop.product(3)
    ada.put(cup, 2)
    cart = store.load(ada.owner)
    durable().delete(f"holdfast:cart:{cart.id}", f"holdfast:cart:of:{ada.owner.key}")
    assert (ada.ask("GET").json(), shop.levels(cup)) == (EMPTY, (3, 2))
    execute("catalog", "UPDATE catalog_reservation SET expires_at = now() - interval '1 second'")
    assert catalog.expire_holds([cart.id]) == ExpiredHolds(1, 2)
    assert shop.levels(cup) == (3, 0)


# --- Redis --------------------------------------------------------------------------------------
def test_a_visitors_cart_ends_sooner(visitor, settings):
    settings.CART_VISITOR_SECONDS = 50
    visitor.put(shop.product(3), 1)
    owner = Owner.bearer(visitor.token)
    assert 40 < durable().ttl(f"holdfast:cart:{store.load(owner).id}") <= 50


def test_a_cart_ends_when_nobody_has_changed_it_for_long(ada, settings):
    settings.CART_SECONDS = 100
    ada.put(shop.product(3), 1)
    cart = store.load(ada.owner)
    keys = (f"holdfast:cart:{cart.id}", f"holdfast:cart:of:{ada.owner.key}")
    assert [90 < durable().ttl(key) <= 100 for key in keys] == [True, True]
    durable().expire(keys[0], 5)
    ada.put(shop.product(3), 1)
    assert [90 < durable().ttl(key) <= 100 for key in keys] == [True, True]


@pytest.mark.parametrize(
    "forged",
    [{"version": "x"}, {"lines": "1"}, {"version": 1, "not-a-product": "0 1"}, {"version": 1}],
)
def test_what_somebody_else_wrote_there_is_data(ada, forged):
    cup = shop.product(3)
    ada.put(cup, 1)
    key = f"holdfast:cart:{store.load(ada.owner).id}"
    durable().delete(key)
    durable().hset(key, mapping=forged)
    assert ada.quantities() == {}
    assert quantities(ada.put(cup, 1)) == {cup: 1}


def test_without_redis_carts_are_away_and_nothing_breaks(ada, visitor, settings):
    cup, token = shop.product(3), new_token()
    visitor.token = token
    settings.QUEUE_REDIS_URL = "unix:///nowhere/redis.sock"
    answers = [
        *(one.ask("GET") for one in (ada, visitor)),
        *(one.put(cup, 1) for one in (ada, visitor)),
        *(one.add(cup, 1) for one in (ada, visitor)),
        *(one.remove(cup) for one in (ada, visitor)),
        *(one.ask("DELETE") for one in (ada, visitor)),
        ada.ask("POST", "/merge", **{"X-Cart-Token": token}),
        ada.checkout(),
    ]
    assert {one.status_code for one in answers} == {503}
    assert {one.headers["Content-Type"] for one in answers} == {"application/problem+json"}
    assert {one.headers["Retry-After"] for one in answers} == {"1"}
    assert shop.levels(cup) == (3, 0)


def test_an_edit_that_got_no_answer_is_not_made_again(ada, monkeypatch):
    """The connection breaks after EXEC: nobody knows, so the customer is told to look."""
    cup = shop.product(9)
    ada.put(cup, 1)
    write, times = store._write, []

    def cut(pipe, *args):
        write(pipe, *args)
        times.append(1)
        execute = pipe._execute_transaction

        def executed(*words):
            execute(*words)
            raise redis.ConnectionError("cut")

        pipe._execute_transaction = executed

    monkeypatch.setattr(store, "_write", cut)
    assert ada.add(cup, 1).status_code == 503
    monkeypatch.setattr(store, "_write", write)
    assert (ada.quantities(), len(times)) == ({cup: 2}, 1)
