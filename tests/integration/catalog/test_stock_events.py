"""What each movement of stock tells: of orders and of products, in its own transaction."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from apps.catalog import facade, stock
from apps.catalog.contracts import AdjustStock, ReceiveStock
from apps.catalog.event_contracts import (
    Pieces,
    ShortOf,
    StockAdjusted,
    StockDepleted,
    StockRejected,
    StockReleased,
    StockReserved,
    StockRestocked,
)
from apps.catalog.models import Reservation
from apps.common.correlation import request_id_bound
from apps.common.errors import Conflict, NotFound
from tests.integration.catalog import shop
from tests.told import listening

pytestmark = pytest.mark.django_db(databases=["catalog"])


def adjust(product_id: UUID, delta: int) -> None:
    key = str(uuid4())
    facade.adjust_stock(AdjustStock(key, "staff:1", product_id, delta, " counted "))


def test_a_batch_tells_of_each_order_and_of_what_is_all_promised_now():
    cup, pot = shop.product(5), shop.product(9)
    first, hungry, last = (
        shop.reserve((cup, 2), (pot, 1), (cup, 1)),
        shop.reserve((cup, 3)),
        shop.reserve((cup, 2)),
    )
    commands = [first, hungry, last]
    causes = {first.order_id: "r1", hungry.order_id: "r2", last.order_id: "r3"}
    with listening("catalog") as told:
        facade.reserve_stock(commands, causes)
    assert told.facts == [
        ("stock.reserved", StockReserved(first.order_id, (Pieces(cup, 3), Pieces(pot, 1)))),
        ("stock.rejected", StockRejected(hungry.order_id, (ShortOf(cup, 3, 2),))),
        ("stock.reserved", StockReserved(last.order_id, (Pieces(cup, 2),))),
        ("stock.depleted", StockDepleted(cup, 5)),
    ]
    assert [one.correlation_id for one in told] == ["r1", "r2", "r3", "r3"]
    assert [one.aggregate for one in told] == [
        *(f"reservation:{one.order_id}" for one in commands),
        f"stock:{cup}",
    ]
    with listening("catalog") as told:
        facade.reserve_stock(commands, causes)
    assert told == []


def test_a_batch_that_gets_nothing_tells_so():
    command = shop.reserve((uuid4(), 1))
    with listening("catalog") as told:
        facade.reserve_stock([command])
    [(topic, payload)] = told.facts
    assert topic == "stock.rejected"
    assert payload == StockRejected(command.order_id, (ShortOf(command.lines[0].product_id, 1, 0),))


def test_a_release_tells_what_is_free_and_what_is_there_again():
    cup, pot = shop.product(3), shop.product(9)
    one, other = shop.reserve((cup, 2), (pot, 1)), shop.reserve((cup, 1))
    facade.reserve_stock([one, other])
    releases = [shop.release(one), shop.release(other)]
    with listening("catalog") as told:
        facade.release_stock(releases, {one.order_id: "r1", other.order_id: "r2"})
    assert told.facts == [
        (
            "stock.released",
            StockReleased(one.order_id, (Pieces(cup, 2), Pieces(pot, 1)), "released"),
        ),
        ("stock.released", StockReleased(other.order_id, (Pieces(cup, 1),), "released")),
        ("stock.restocked", StockRestocked(cup, 3, 3, "released")),
    ]
    assert [one.correlation_id for one in told] == ["r1", "r2", "r2"]
    with listening("catalog") as told:
        facade.release_stock(releases)
    assert told == []


def test_a_release_of_nothing_and_the_reservation_it_fenced_off_tell_nothing():
    late = shop.reserve((shop.product(1), 1))
    with listening("catalog") as told:
        facade.release_stock([shop.release(late)])
        facade.reserve_stock([late])
    assert told == []


def test_what_is_sold_was_told_when_it_was_promised():
    command = shop.reserve((shop.product(1), 1))
    facade.reserve_stock([command])
    with listening("catalog") as told:
        facade.dispatch_stock([shop.dispatch(command)])
    assert told == []


def test_a_hold_that_expires_tells_so():
    cup = shop.product(1)
    command = shop.reserve((cup, 1))
    facade.reserve_stock([command])
    past = timezone.now() - timedelta(seconds=1)
    Reservation.objects.filter(order_id=command.order_id).update(expires_at=past)
    with listening("catalog") as told, request_id_bound("job"):
        stock.expire_holds(most=10)
    assert told.facts == [
        ("stock.released", StockReleased(command.order_id, (Pieces(cup, 1),), "expired")),
        ("stock.restocked", StockRestocked(cup, 1, 1, "released")),
    ]
    assert {one.correlation_id for one in told} == {"job"}


def test_goods_that_come_back_are_told_per_product():
    cup, pot = shop.product(1), shop.product()
    one, other = shop.give_back((cup, 2)), shop.give_back((cup, 1), (pot, 4))
    with listening("catalog") as told:
        facade.return_stock([one, other], {other.order_id: "r2"})
    assert told.facts == [
        ("stock.restocked", StockRestocked(cup, 3, 4, "returned")),
        ("stock.restocked", StockRestocked(pot, 4, 4, "returned")),
    ]
    assert {one.correlation_id for one in told} == {"r2"}


def test_goods_that_come_in_are_told_once_per_product_and_not_again():
    cup, pot = shop.product(1), shop.product(1)
    receipts = [ReceiveStock("a", cup, 2), ReceiveStock("b", cup, 3), ReceiveStock("a", pot, 0)]
    with listening("catalog") as told, request_id_bound("r1"):
        facade.receive_stock(receipts)
        facade.receive_stock(receipts)
    assert told.facts == [("stock.restocked", StockRestocked(cup, 5, 6, "received"))]
    assert told[0].correlation_id == "r1"


def test_a_corrected_count_is_told_and_so_is_the_end_and_the_beginning_of_nothing():
    cup = shop.product(4)
    facade.reserve_stock([shop.reserve((cup, 1))])
    with listening("catalog") as told:
        adjust(cup, -1)
        adjust(cup, -2)
        adjust(cup, 5)
    assert told.facts == [
        ("stock.adjusted", StockAdjusted(cup, -1, 3, 2, "counted")),
        ("stock.adjusted", StockAdjusted(cup, -2, 1, 0, "counted")),
        ("stock.depleted", StockDepleted(cup, 1)),
        ("stock.adjusted", StockAdjusted(cup, 5, 6, 5, "counted")),
        ("stock.restocked", StockRestocked(cup, 5, 5, "adjusted")),
    ]


def test_what_is_refused_or_rolled_back_tells_nothing():
    cup = shop.product(1)
    facade.reserve_stock([command := shop.reserve((cup, 1))])
    with listening("catalog") as told:
        with pytest.raises(Conflict):
            adjust(cup, -1)
        with pytest.raises(NotFound):
            facade.receive_stock([ReceiveStock("a", cup, 9), ReceiveStock("a", uuid4(), 9)])
        with pytest.raises(RuntimeError), transaction.atomic(using="catalog"):
            facade.release_stock([shop.release(command)])
            raise RuntimeError
    assert told == []


@pytest.mark.parametrize("orders", [1, 40])
def test_a_batch_takes_as_many_statements_however_many_orders_it_has(
    orders, django_assert_num_queries
):
    cup = shop.product(40)
    commands = [shop.reserve((cup, 1)) for _ in range(orders)]
    with django_assert_num_queries(8, using="catalog"):  # two are the savepoint's
        facade.reserve_stock(commands)
