"""Goods that come back, on the real database, one rule at a time."""

from dataclasses import replace

import pytest

from apps.catalog import facade
from apps.catalog.contracts import StockLine, StockResult
from apps.catalog.models import Product
from apps.common.errors import Conflict, InvalidInput, NotFound
from apps.messaging.models import Inbox
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["catalog"])


def sold(product_id, quantity: int):
    """An order for so many pieces that has left the house."""
    order = shop.reserve((product_id, quantity))
    facade.reserve_stock([order])
    facade.dispatch_stock([shop.dispatch(order)])
    return order


def test_what_comes_back_is_on_the_shelf_and_in_the_ledger():
    cup = shop.product(10)
    order = sold(cup, 4)
    back = shop.give_back((cup, 3), order_id=order.order_id)
    assert facade.return_stock([back]) == [StockResult(back.key, 3)]
    assert shop.levels(cup) == (9, 0)
    assert shop.ledger(cup)[-1] == ("returned", 3, 0)
    assert facade.returned_stock() == {order.order_id: {cup: 3}}
    assert facade.audit_stock() == []


def test_a_batch_moves_each_product_once_whatever_lines_name_it():
    cup, pot = shop.product(5), shop.product(5)
    one, other = shop.give_back((cup, 1), (pot, 2), (cup, 3)), shop.give_back((cup, 7))
    assert [answer.quantity for answer in facade.return_stock([one, other])] == [6, 7]
    assert (shop.levels(cup), shop.levels(pot)) == ((16, 0), (7, 0))
    assert sorted(shop.ledger(cup)[1:]) == [("returned", 4, 0), ("returned", 7, 0)]
    assert facade.audit_stock() == []


def test_a_repeat_moves_nothing_and_gets_the_first_answer():
    cup = shop.product(5)
    back = shop.give_back((cup, 2))
    assert facade.return_stock([back]) == facade.return_stock([back, back])[:1]
    assert shop.levels(cup) == (7, 0)


def test_control_without_the_inbox_row_a_repeat_would_add_the_pieces_twice():
    cup = shop.product(5)
    back = shop.give_back((cup, 2))
    facade.return_stock([back])
    Inbox.objects.using("catalog").filter(message_id=back.key).delete()
    facade.return_stock([back])
    assert shop.levels(cup) == (9, 0)


def test_a_key_that_means_two_things_is_refused_and_moves_nothing():
    cup = shop.product(5)
    back = shop.give_back((cup, 2))
    other = replace(back, lines=(StockLine(cup, 3),))
    with pytest.raises(Conflict) as refused:
        facade.return_stock([back, other])
    assert refused.value.code == "key_reused"
    facade.return_stock([back])
    with pytest.raises(Conflict):
        facade.return_stock([other])
    assert shop.levels(cup) == (7, 0)


@pytest.mark.parametrize("quantity", [0, -1])
def test_less_than_one_piece_is_refused(quantity):
    cup = shop.product(5)
    with pytest.raises(InvalidInput):
        facade.return_stock([shop.give_back((cup, quantity))])
    assert shop.levels(cup) == (5, 0)


def test_a_deleted_product_takes_its_pieces_back_and_an_unknown_one_is_an_error():
    cup = shop.product(5)
    order = sold(cup, 2)
    Product.objects.get(public_id=cup).delete()
    facade.return_stock([shop.give_back((cup, 1), order_id=order.order_id)])
    assert facade.audit_stock() == []
    with pytest.raises(NotFound):
        facade.return_stock([shop.give_back((cup, 1)), shop.give_back((order.order_id, 1))])
    assert facade.returned_stock() == {order.order_id: {cup: 1}}
