"""A cart holds pieces for a while; the order that comes of it has them, and nobody else."""

from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.catalog import facade, selectors, stock
from apps.catalog.contracts import ExpiredHolds, HeldStock, HoldStock, StockLine
from apps.catalog.models import Reservation, StockLedgerEntry
from apps.catalog.stock import sql
from apps.common.databases import execute, fetch_all
from apps.common.errors import InvalidInput
from tests.integration.catalog import shop
from tests.told import listening

pytestmark = pytest.mark.django_db(databases=["catalog"])


def hold(cart_id: UUID, pieces: Mapping[UUID, int], seconds: float = 60.0) -> HeldStock:
    lines = tuple(StockLine(*line) for line in pieces.items())
    return facade.hold_stock(HoldStock(cart_id, lines, seconds))


def pieces(held: HeldStock) -> dict[UUID, int]:
    return {line.product_id: line.quantity for line in held.lines}


def let_expire(cart_id: UUID) -> None:
    execute(
        "catalog",
        "UPDATE catalog_reservation SET expires_at = now() - interval '1 second'"
        " WHERE order_id = %s AND status = 'live'",
        [cart_id],
    )


def test_a_hold_is_what_the_cart_wants_after_every_edit():
    cart, cup, mug = uuid4(), shop.product(10), shop.product(10)
    assert pieces(hold(cart, {cup: 3})) == {cup: 3}
    assert pieces(hold(cart, {cup: 5, mug: 1})) == {cup: 5, mug: 1}
    assert pieces(hold(cart, {cup: 2, mug: 1})) == {cup: 2, mug: 1}
    assert (shop.levels(cup), shop.levels(mug)) == ((10, 2), (10, 1))
    assert pieces(facade.held_stock(cart)) == {cup: 2, mug: 1}
    assert pieces(hold(cart, {mug: 1})) == {mug: 1}
    assert shop.ledger(cup)[1:] == [
        *[("reserved", 0, 3), ("reserved", 0, 2)],
        *[("released", 0, -3), ("released", 0, -2)],
    ]
    assert pieces(hold(cart, {})) == {}
    assert (shop.levels(cup), shop.levels(mug)) == ((10, 0), (10, 0))
    assert facade.audit_stock() == []


def test_what_cannot_be_held_is_told_and_another_carts_pieces_are_not_free():
    one, other, cup = uuid4(), uuid4(), shop.product(5)
    assert pieces(hold(one, {cup: 4})) == {cup: 4}
    assert pieces(hold(other, {cup: 3})) == {cup: 1}
    assert pieces(hold(one, {cup: 9})) == {cup: 4}
    assert pieces(hold(other, {cup: 3, uuid4(): 1})) == {cup: 1}
    assert shop.levels(cup) == (5, 5)


def test_an_edit_renews_the_time_of_all_that_the_cart_holds():
    cart, cup, mug = uuid4(), shop.product(5), shop.product(5)
    hold(cart, {cup: 1})
    let_expire(cart)
    hold(cart, {cup: 1, mug: 1}, seconds=60)
    assert facade.expire_holds([cart]) == ExpiredHolds(0, 0)
    assert stock.expire_holds(most=10) == ExpiredHolds(0, 0)
    assert Reservation.objects.filter(status="live").count() == 2


def test_the_clock_ends_holds_of_one_cart_or_of_all():
    carts, cup = [uuid4() for _ in range(3)], shop.product(10)
    for cart in carts:
        hold(cart, {cup: 2})
    for cart in carts[:2]:
        let_expire(cart)
    assert facade.expire_holds([carts[0], carts[2]]) == ExpiredHolds(1, 2)
    assert stock.expire_holds(most=10) == ExpiredHolds(1, 2)
    assert shop.levels(cup) == (10, 2)
    assert facade.audit_stock() == []


def test_a_line_of_nothing_is_refused_and_nothing_moves():
    cart, cup = uuid4(), shop.product(5)
    hold(cart, {cup: 1})
    with pytest.raises(InvalidInput):
        hold(cart, {cup: 0})
    assert shop.levels(cup) == (5, 1)


def test_the_order_of_a_cart_takes_its_hold_over():
    cart, cup = uuid4(), shop.product(1)
    hold(cart, {cup: 1})
    [stranger] = facade.reserve_stock([shop.reserve((cup, 1))])
    assert stranger.status == "short"
    [own] = facade.reserve_stock([shop.reserve((cup, 1), order_id=cart)])
    assert own.status == "reserved"
    assert shop.levels(cup) == (1, 1)
    [live] = Reservation.objects.filter(status="live")
    assert (live.order_id, live.expires_at) == (cart, None)
    assert shop.ledger(cup)[1:] == [("reserved", 0, 1), ("released", 0, -1), ("reserved", 0, 1)]
    assert facade.held_stock(cart) == HeldStock((), ordered=True)
    assert stock.expire_holds(most=10) == ExpiredHolds(0, 0)
    assert facade.audit_stock() == []


def test_in_one_batch_only_the_carts_own_order_has_its_pieces():
    """Who is decided before it finds them taken; what it leaves is there for who comes after."""
    cart, cup = uuid4(), shop.product(3)
    hold(cart, {cup: 3})
    before, own, after = (
        shop.reserve((cup, 1)),
        shop.reserve((cup, 2), order_id=cart),
        shop.reserve((cup, 1)),
    )
    results = facade.reserve_stock([before, own, after])
    assert [one.status.value for one in results] == ["short", "reserved", "reserved"]
    assert shop.levels(cup) == (3, 3)
    assert facade.audit_stock() == []


def test_an_order_that_is_short_of_something_gives_its_carts_hold_back():
    cart, cup, mug = uuid4(), shop.product(2), shop.product(1)
    hold(cart, {cup: 2})
    [result] = facade.reserve_stock([shop.reserve((cup, 2), (mug, 2), order_id=cart)])
    assert result.status == "short"
    assert (shop.levels(cup), shop.levels(mug)) == ((2, 0), (1, 0))
    assert Reservation.objects.filter(status="live").count() == 0
    assert facade.audit_stock() == []


def test_an_order_whose_hold_is_over_competes_as_any_other():
    cart, cup = uuid4(), shop.product(1)
    hold(cart, {cup: 1})
    let_expire(cart)
    stock.expire_holds(most=10)
    quicker, own = shop.reserve((cup, 1)), shop.reserve((cup, 1), order_id=cart)
    assert [one.status.value for one in facade.reserve_stock([quicker, own])] == [
        *("reserved", "short")
    ]


def test_a_cart_that_has_become_an_order_holds_nothing_more():
    cart, cup, mug = uuid4(), shop.product(5), shop.product(5)
    command = shop.reserve((cup, 2), order_id=cart)
    facade.reserve_stock([command])
    assert hold(cart, {cup: 3, mug: 1}) == HeldStock((), ordered=True)
    assert (shop.levels(cup), shop.levels(mug)) == ((5, 2), (5, 0))


def test_the_release_of_an_order_that_never_reserved_ends_its_carts_hold():
    cart, cup = uuid4(), shop.product(5)
    hold(cart, {cup: 2})
    command = shop.reserve((cup, 2), order_id=cart)
    [released] = facade.release_stock([shop.release(command)])
    assert (released.quantity, shop.levels(cup)) == (2, (5, 0))
    [late] = facade.reserve_stock([command])
    assert (late.status, shop.levels(cup)) == ("cancelled", (5, 0))


def test_a_repeat_of_the_reservation_moves_nothing():
    cart, cup = uuid4(), shop.product(5)
    hold(cart, {cup: 2})
    command = shop.reserve((cup, 2), order_id=cart)
    first = facade.reserve_stock([command])
    rows = StockLedgerEntry.objects.count()
    assert facade.reserve_stock([command]) == first
    assert StockLedgerEntry.objects.count() == rows


def test_what_is_told():
    cart, cup = uuid4(), shop.product(2)
    with listening("catalog") as heard:
        hold(cart, {cup: 2})
        hold(cart, {cup: 1})
        facade.reserve_stock([shop.reserve((cup, 1), order_id=cart)])
        hold(uuid4(), {cup: 1})
    assert heard.topics == [
        *("stock.reserved", "stock.depleted"),
        *("stock.released", "stock.restocked"),
        "stock.reserved",
        *("stock.reserved", "stock.depleted"),
    ]


def test_holds_of_carts_are_not_counted_as_orders():
    cart, order, cup = uuid4(), uuid4(), shop.product(5)
    hold(cart, {cup: 2})
    facade.reserve_stock([shop.reserve((cup, 1), order_id=order)])
    assert dict(facade.live_reservations_by_order()) == {order: 1}


def test_the_clock_does_not_look_at_what_orders_hold():
    cup = shop.product(1)
    execute(
        "catalog",
        "INSERT INTO catalog_reservation (order_id, product_id, quantity)"
        " SELECT gen_random_uuid(), p.id, 1 FROM generate_series(1, 20000), catalog_product p"
        " WHERE p.public_id = %s",
        [cup],
    )
    execute("catalog", "ANALYZE catalog_reservation")
    with CaptureQueriesContext(connections["catalog"]) as asked:
        sql.lock_expired_reservations(500)
    plan = fetch_all("catalog", f"EXPLAIN {asked[0]['sql'].replace('%', '%%')}")
    assert "reservation_holds" in str(plan)


def test_what_carts_hold_is_counted():
    cup = shop.product(9)
    assert selectors.holds_count() == (0, 0, 0.0)
    facade.reserve_stock([shop.reserve((cup, 1))])
    hold(uuid4(), {cup: 2})
    carts, pieces, overdue = selectors.holds_count()
    assert (carts, pieces, overdue) == (1, 2, 0.0)
    hold(late := uuid4(), {cup: 3})
    let_expire(late)
    carts, pieces, overdue = selectors.holds_count()
    assert (carts, pieces) == (2, 5)
    assert 1 <= overdue < 60
