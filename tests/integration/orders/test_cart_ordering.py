"""An order of what is in the cart: placed once, with what the cart held, in either style."""

from uuid import UUID

import pytest
import redis
from django.http import HttpResponse

from apps.catalog import facade as catalog
from apps.catalog.contracts import HoldStock, StockLine
from apps.catalog.models import Product, Reservation
from apps.common import failpoints
from apps.common.databases import execute
from apps.common.redis import durable
from apps.orders.cart import services, store
from apps.orders.models import Order
from tests.integration.catalog import shop
from tests.integration.orders.carts import Person, errors
from tests.pump import settle
from tests.trade import axes, drive_all, violations

pytestmark = pytest.mark.django_db(databases="__all__")
driven = pytest.mark.django_db(transaction=True, databases="__all__")
CONFIRMED = ("confirmed", "captured", "scheduled")


@pytest.fixture
def ada(gateway) -> Person:
    return Person()


@pytest.fixture(params=["orchestrated", "choreographed"])
def to_its_end(request, settings):
    """Carries all checkouts out, in either style."""
    settings.CHECKOUT_COORDINATION = request.param
    return drive_all if request.param == "orchestrated" else settle


def order_id(answer: HttpResponse) -> UUID:
    assert answer.status_code == 202, answer.content
    return UUID(answer.json()["id"])


def lines(order: UUID) -> list[tuple[UUID, int]]:
    return list(Order.objects.get(pk=order).lines.values_list("product_id", "quantity"))


def direct(person: Person, product_id: UUID, quantity: int = 1) -> UUID:
    """An order without a cart."""
    body = {
        "lines": [{"product_id": str(product_id), "quantity": quantity}],
        "payment": {"card_token": "tok_approve"},
        "address_id": None,
    }
    del body["address_id"]
    body["shipping_address"] = {
        "name": "Ben",
        "line1": "1 High Street",
        "city": "Leeds",
        "country": "GB",
    }
    headers = {"Idempotency-Key": f"direct {product_id} {person.user.pk}"}
    return order_id(person.client.post("/api/v1/orders", body, format="json", headers=headers))


def let_holds_end() -> None:
    execute("catalog", "UPDATE catalog_reservation SET expires_at = now() - interval '1 second'")


@driven
def test_the_last_piece_is_the_carts_that_holds_it(ada, to_its_end):
    ben, cup = Person(), shop.product(1)
    ada.put(cup, 1)
    bens = direct(ben, cup)
    to_its_end()
    assert axes(bens)[:2] == ("cancelled", "voided")
    adas = order_id(ada.checkout())
    to_its_end()
    assert (axes(adas), lines(adas)) == (CONFIRMED, [(cup, 1)])
    assert (shop.levels(cup), ada.quantities()) == ((1, 1), {})
    assert Reservation.objects.get(status="live").expires_at is None
    assert violations() == {}


@driven
def test_without_taking_the_hold_over_the_cart_would_stand_in_its_own_way(ada, monkeypatch):
    """The control: the order finds the last piece taken, by its own cart."""
    cup = shop.product(1)
    ada.put(cup, 1)
    monkeypatch.setattr("apps.catalog.stock.holding.take_over", lambda order_ids: [])
    adas = order_id(ada.checkout())
    drive_all()
    assert axes(adas)[0] == "cancelled"


@driven
def test_an_order_whose_hold_is_over_competes_as_any_other(ada, to_its_end):
    ben, cup = Person(), shop.product(1)
    ada.put(cup, 1)
    let_holds_end()
    catalog.expire_holds([store.load(ada.owner).id])
    bens = direct(ben, cup)
    to_its_end()
    adas = order_id(ada.checkout())
    to_its_end()
    assert (axes(bens), axes(adas)[0]) == (CONFIRMED, "cancelled")
    assert violations() == {}


@driven
def test_an_order_that_is_undone_gives_the_pieces_back(ada, to_its_end):
    """Also one that was never reserved: its cart's hold goes with it."""
    cup = shop.product(1)
    for card in ("tok_decline", "tok_capture_decline"):
        ada.put(cup, 1)
        undone = order_id(ada.checkout(card=card))
        to_its_end()
        assert (axes(undone)[0], shop.levels(cup)) == ("cancelled", (1, 0))
    ada.put(cup, 1)
    again = order_id(ada.checkout())
    to_its_end()
    assert axes(again) == CONFIRMED
    assert violations() == {}


@driven
def test_an_order_takes_no_more_than_it_needs_of_what_its_cart_holds(ada):
    """The cart changed while its order was on its way."""
    cup, mug = shop.product(9), shop.product(9)
    ada.put(cup, 2)
    cart = store.load(ada.owner)
    adas = order_id(ada.checkout())
    more = {cup: 5, mug: 1}
    catalog.hold_stock(HoldStock(cart.id, tuple(StockLine(*one) for one in more.items()), 60))
    drive_all()
    assert axes(adas) == CONFIRMED
    assert (shop.levels(cup), shop.levels(mug)) == ((9, 2), (9, 0))
    assert violations() == {}


# --- once ---------------------------------------------------------------------------------------
def test_a_repeat_gets_the_first_answer_whatever_is_in_the_cart_by_then(ada):
    cup, mug = shop.product(9), shop.product(9)
    tag = ada.put(cup, 2).headers["ETag"]
    first = ada.checkout(key="one", **{"If-Match": tag})
    assert ada.checkout(key="one", **{"If-Match": tag}).json() == first.json()
    ada.put(mug, 1)
    assert ada.checkout(key="one", **{"If-Match": tag}).json() == first.json()
    assert (Order.objects.count(), ada.quantities()) == (1, {mug: 1})
    other = ada.checkout(key="one", card="tok_decline")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_an_empty_cart_is_not_ordered(ada):
    answer = ada.checkout()
    assert (answer.status_code, answer.json()["code"]) == (409, "cart_empty")
    assert Person(logged_in=False).checkout().status_code == 401


def test_what_is_not_for_sale_any_more_is_named_and_stays(ada):
    cup = shop.product(9)
    ada.put(cup, 2)
    Product.objects.filter(public_id=cup).update(active=False)
    answer = ada.checkout()
    assert (answer.status_code, errors(answer)) == (
        *(400, [("lines[0].product_id", "unknown_product")]),
    )
    assert (Order.objects.count(), ada.quantities()) == (0, {cup: 2})


@pytest.fixture
def dying(monkeypatch):
    """The process dies once its order is placed, before it empties the cart."""

    def arm() -> None:
        armed = failpoints.Armed.parse("order.place.after_commit:1:raise")
        monkeypatch.setattr(failpoints, "_armed", armed)

    return arm


def test_who_dies_after_the_order_is_placed_leaves_no_full_cart_behind(ada, dying):
    cup = shop.product(9)
    ada.put(cup, 2)
    dying()
    with pytest.raises(failpoints.FailpointReached):
        ada.checkout(key="one")
    assert store.load(ada.owner).lines == {cup: 2}
    assert ada.quantities() == {}
    assert (order_id(ada.checkout(key="one")), Order.objects.count()) == (
        *(Order.objects.get().pk, 1),
    )


def test_an_edit_after_such_a_death_begins_a_new_cart(ada, dying):
    cup, mug = shop.product(9), shop.product(9)
    ada.put(cup, 2)
    dying()
    with pytest.raises(failpoints.FailpointReached):
        ada.checkout(key="one")
    ada.put(mug, 1)
    assert ada.quantities() == {mug: 1}
    ada.checkout(key="one")
    assert ada.quantities() == {mug: 1}
    assert order_id(ada.checkout(key="two")) in Order.objects.values_list("pk", flat=True)
    assert (Order.objects.count(), ada.quantities()) == (2, {})


@driven
def test_a_cart_whose_mark_redis_lost_is_not_ordered_again(ada):
    """Redis came back without its last second: the cart as it was before the order."""
    cup, mug = shop.product(9), shop.product(9)
    ada.put(cup, 2)
    cart = store.load(ada.owner)
    adas = order_id(ada.checkout(key="one"))
    before = store.load(ada.owner)
    assert before is None
    store.edit(ada.owner, lambda _: cart)
    again = ada.checkout(key="two")
    assert (again.status_code, again.json()["code"]) == (409, "already_ordered")
    assert again.json()["order_id"] == str(adas)
    assert (Order.objects.count(), ada.quantities()) == (1, {})
    drive_all()
    store.edit(ada.owner, lambda _: cart)
    ada.put(mug, 1)  # its hold finds the order's reservation
    assert ada.quantities() == {mug: 1}
    assert violations() == {}


def test_what_came_into_the_cart_while_it_was_ordered_stays(ada, monkeypatch):
    cup, mug = shop.product(9), shop.product(9)
    ada.put(cup, 2)
    place = services.cart_settle

    def settle_late(owner, order):
        monkeypatch.setattr(services, "cart_settle", place)
        store.edit(owner, lambda cart: services._next(cart, {cup: 3, mug: 1}))
        return place(owner, order)

    monkeypatch.setattr(services, "cart_settle", settle_late)
    adas = order_id(ada.checkout())
    assert (lines(adas), ada.quantities()) == ([(cup, 2)], {cup: 1, mug: 1})
    assert (shop.levels(cup), shop.levels(mug)) == ((9, 3), (9, 1))


def test_an_order_stands_although_redis_went_away_after_it(ada, monkeypatch):
    cup = shop.product(9)
    ada.put(cup, 2)
    edit, calls = store.edit, []

    def edit_once(owner, change):
        calls.append(owner)
        if len(calls) > 1:
            raise store.CartAway()
        return edit(owner, change)

    monkeypatch.setattr(store, "edit", edit_once)
    order_id(ada.checkout(key="one"))
    order_id(ada.checkout(key="one"))
    monkeypatch.setattr(store, "edit", edit)
    assert (Order.objects.count(), ada.quantities()) == (1, {})


def test_orders_are_placed_without_carts(ada, settings):
    settings.QUEUE_REDIS_URL = "unix:///nowhere/redis.sock"
    with pytest.raises(redis.ConnectionError):
        store.client().ping()
    cup = shop.product(9)
    assert lines(direct(ada, cup)) == [(cup, 1)]


def test_waiting_for_the_end_is_as_with_any_order(ada, monkeypatch):
    cup = shop.product(9)
    ada.put(cup, 2)
    monkeypatch.setattr("apps.orders.rest.views.wait_for_end", lambda *_: True)
    answer = ada.checkout(Prefer="wait=5")
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/orders/{answer.json()['id']}"
    assert durable().keys("holdfast:cart:of:customer:" + str(ada.user.public_id)) == []
