"""The generated shop is one that could have been: its books agree."""

from collections import Counter

import pytest

from apps.catalog import facade as catalog
from apps.customers.models import User
from apps.orders.audit import facts
from apps.orders.audit.checks import ORDER_CHECKS
from apps.orders.audit.replies import idempotency_replayable
from apps.orders.models import Order
from bench.data import insert_products
from bench.data_orders import has_own_trade, insert_orders
from tests.trade import Trade

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def read_all() -> list[facts.OrderFacts]:
    stock = facts.Stock.read()
    with facts.snapshot():
        return [
            order
            for chunk in facts.order_ids_by_chunk()
            for order in facts.read_facts(chunk, stock=stock)
        ]


def test_the_books_of_a_generated_shop_agree():
    insert_products(200)
    assert insert_orders(200) == 200
    insert_orders(60)  # a second run goes on where the first one ended

    orders = read_all()
    settled = [order for order in orders if order.is_settled]
    assert (len(orders), len(settled)) == (260, 259)  # one of 2,500 is parked
    wrong = {(name, check(order)) for order in settled for name, check in ORDER_CHECKS.items()}
    assert {why for _, why in wrong} == {None}
    assert catalog.audit_stock() == []
    replies = idempotency_replayable()
    assert (replies.checked, replies.wrong) == (52, {})
    assert Counter(order.status for order in orders)["cancelled"] == 3 * 13
    assert User.objects.count() == 40
    assert not has_own_trade()


def test_a_shop_with_orders_of_its_own_is_known_by_them():
    Trade().place()
    assert Order.objects.count() == 1
    assert has_own_trade()
