"""Placing orders through the facade."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connections
from moneyed import Money

from apps.common.errors import InvalidInput
from apps.messaging.idempotency import KeyReused
from apps.messaging.models import IdempotencyRecord, Outbox
from apps.orders import facade
from apps.orders.contracts import ImportedLine, ImportOrder, OrderLine
from apps.orders.models import Order
from apps.orders.models import OrderLine as Line
from apps.payments.models import Payment
from apps.sagas.models import SagaRun, SagaStep
from tests.trade import ADDRESS, Trade

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def trade():
    return Trade()


def written() -> list[int]:
    """Rows of everything that placing an order writes."""
    counts = [model.objects.count() for model in (Order, Line, Payment, SagaRun, SagaStep)]
    for model in (Outbox, IdempotencyRecord):
        counts.append(model.objects.using("orders").count())
    return counts


def imported(trade: Trade, **values) -> ImportOrder:
    lines = (ImportedLine(trade.products["MUG"], 3, Money("2.55", "GBP")),)
    known = {
        "external_reference": "ample:536365",
        "customer_id": trade.customer_id,
        "lines": lines,
        "shipping": Money("15.00", "GBP"),
        "card_token": "tok_unlimited",
        "address": ADDRESS,
        "placed_at": datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
    }
    return ImportOrder(**known | values)


def test_an_order_is_written_whole_with_what_will_carry_it_out(trade):
    placed = trade.place(MUG=2, CUP=1)
    assert written() == [1, 2, 1, 1, 1, 1, 1]
    order = facade.get_order(placed.order_id)
    assert (order.status, order.payment_status, order.fulfillment_status) == (
        *("pending", "not_paid"),
        "not_fulfilled",
    )
    assert order.total == placed.total == Money("28.50", "GBP")
    assert [(line.sku, line.quantity, line.unit_price) for line in order.lines] == [
        ("MUG", 2, Money("9.50", "GBP")),
        ("CUP", 1, Money("9.50", "GBP")),
    ]
    event = Outbox.objects.using("orders").get()
    assert (event.topic, event.aggregate_version) == ("order.placed", 1)
    assert event.payload["order_id"] == str(placed.order_id)


def test_the_same_key_gets_the_same_receipt_and_writes_nothing(trade):
    command = trade.command(key="once")
    first = facade.place_order(command)
    before = written()
    assert facade.place_order(command) == first
    assert written() == before


def test_a_repeat_gets_its_receipt_even_if_the_product_is_gone_meanwhile(trade):
    command = trade.command(key="once")
    first = facade.place_order(command)
    with connections["catalog"].cursor() as cursor:
        cursor.execute("UPDATE catalog_product SET active = false")
    assert facade.place_order(command) == first


def test_an_order_that_costs_nothing_is_refused_by_the_field_that_is_wrong(trade):
    with connections["catalog"].cursor() as cursor:
        cursor.execute("UPDATE catalog_product SET price = 0")
    with pytest.raises(InvalidInput) as caught:
        trade.place()
    assert [(one.field, one.code) for one in caught.value.errors] == [("lines", "total_too_small")]


def test_the_same_key_with_another_order_is_refused(trade):
    trade.place(key="once", MUG=1)
    before = written()
    with pytest.raises(KeyReused):
        trade.place(key="once", MUG=2)
    assert written() == before


def test_keys_of_two_customers_do_not_meet(trade):
    first = trade.place(key="once")
    other = Trade(email="bob@example.org").place(key="once")
    assert first.order_id != other.order_id


@pytest.mark.parametrize("quantity", [0, -1, 1_000_001])
def test_a_quantity_out_of_range_is_named(trade, quantity):
    with pytest.raises(InvalidInput) as caught:
        trade.place(CUP=1, MUG=quantity)
    [error] = caught.value.errors
    assert (error.field, error.code) == ("lines[1].quantity", "out_of_range")
    assert sum(written()) == 0


def test_unknown_inactive_and_deleted_products_are_named(trade):
    with connections["catalog"].cursor() as cursor:
        cursor.execute("UPDATE catalog_product SET active = false WHERE sku = 'MUG'")
        cursor.execute("UPDATE catalog_product SET deleted = now() WHERE sku = 'CUP'")
    command = trade.command(MUG=1, CUP=1)
    command = replace(command, lines=(*command.lines, OrderLine(uuid4(), 1)))
    with pytest.raises(InvalidInput) as caught:
        facade.place_order(command)
    assert [(error.field, error.code) for error in caught.value.errors] == [
        (f"lines[{n}].product_id", "unknown_product") for n in range(3)
    ]
    assert sum(written()) == 0


def test_lines_in_two_currencies_are_refused(trade):
    with connections["catalog"].cursor() as cursor:
        cursor.execute("UPDATE catalog_product SET price_currency = 'EUR' WHERE sku = 'CUP'")
    with pytest.raises(InvalidInput) as caught:
        trade.place(MUG=1, CUP=1)
    [error] = caught.value.errors
    assert (error.field, error.code) == ("lines[1].product_id", "mixed_currency")
    assert sum(written()) == 0


@pytest.mark.parametrize("count", [0, 1001])
def test_an_order_without_lines_or_with_too_many_is_refused(trade, count):
    line = OrderLine(trade.products["MUG"], 1)
    with pytest.raises(InvalidInput) as caught:
        facade.place_order(replace(trade.command(), lines=(line,) * count))
    assert [error.field for error in caught.value.errors] == ["lines"]


def test_a_total_beyond_all_reason_is_refused(trade):
    with connections["catalog"].cursor() as cursor:
        cursor.execute("UPDATE catalog_product SET price = 999999.99")
    with pytest.raises(InvalidInput) as caught:
        trade.place(MUG=1_000_000)
    assert [error.code for error in caught.value.errors] == ["total_too_large"]


def test_an_import_brings_its_price_its_date_and_its_shipping(trade):
    placed = facade.place_order(imported(trade))
    order = facade.get_order(placed.order_id)
    assert (order.goods_total, order.shipping_total, order.total) == (
        Money("7.65", "GBP"),
        Money("15.00", "GBP"),
        Money("22.65", "GBP"),
    )
    assert order.placed_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert order.external_reference == "ample:536365"


def test_an_import_is_placed_once(trade):
    first = facade.place_order(imported(trade))
    before = written()
    assert facade.place_order(imported(trade)) == first
    assert written() == before


@pytest.mark.parametrize("price", ["-0.01", "1.005"])
def test_an_imported_price_must_be_money(trade, price):
    line = ImportedLine(trade.products["MUG"], 3, Money(price, "GBP"))
    with pytest.raises(InvalidInput) as caught:
        facade.place_order(imported(trade, lines=(line,)))
    assert [error.field for error in caught.value.errors] == ["lines[0].unit_price"]
    assert sum(written()) == 0
