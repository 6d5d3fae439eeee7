"""Each check sees the violation it is there for, planted behind the services' backs.

The books are those of real orders: one confirmed, one shipped, one compensated for want of stock,
one whose capture was declined after its shipment had been scheduled.
"""

import sqlite3
from uuid import UUID, uuid4

import pytest
import urllib3
from django.db import transaction

from apps.catalog import facade as catalog
from apps.catalog.contracts import (
    AdjustStock,
    DispatchStock,
    ReleaseStock,
    ReserveStock,
    ReturnStock,
    StockLine,
)
from apps.common.databases import execute, fetch_one
from apps.orders import facade as orders
from apps.orders.audit.models import AuditRun
from apps.orders.audit.services import audit_run
from apps.orders.contracts import ReturnItems, ReturnLine, ShipOrder
from apps.shipping import facade as shipping
from apps.shipping.contracts import ScheduleShipment
from tests.trade import Trade, axes, drive_all, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


class Books:
    """Four orders that ended in every way, and the means to falsify them."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.trade = Trade()
        self.confirmed = self.trade.place(MUG=2, CUP=1).order_id
        self.shipped = self.trade.place(MUG=1).order_id
        self.short = self.trade.place(CUP=500).order_id
        self.refused = self.trade.place(MUG=1, card="tok_capture_declined").order_id
        drive_all()
        orders.ship_order(ShipOrder(self.shipped))
        drive_all()

    @property
    def mug(self) -> UUID:
        return self.trade.products["MUG"]

    def reserve(self, order_id: UUID) -> None:
        [result] = catalog.reserve_stock(
            [ReserveStock("rogue", order_id, (StockLine(self.mug, 3),))]
        )
        assert result.status == "reserved"

    def falsify_gateway(self, order_id: UUID, **columns: int) -> None:
        [reference] = fetch_one(
            "orders", "SELECT id FROM payments_payment WHERE order_id = %s", [order_id]
        )
        self.gateway.stop()
        with sqlite3.connect(self.gateway.data / "gateway.sqlite3") as record:
            for column, value in columns.items():
                record.execute(
                    f"UPDATE payment SET {column} = ? WHERE reference = ?", [value, str(reference)]
                )
        record.close()
        self.gateway.start()


@pytest.fixture
def books(gateway) -> Books:
    return Books(gateway)


def update(alias: str, sql: str, *values) -> None:
    assert execute(alias, sql, values) == 1


def test_honest_books_have_no_violations_and_every_check_looked_at_them(books):
    assert axes(books.confirmed) == ("confirmed", "captured", "scheduled")
    assert axes(books.shipped) == ("shipped", "captured", "shipped")
    assert axes(books.short) == ("cancelled", "voided", "not_fulfilled")
    assert axes(books.refused)[0] == "cancelled"
    report = audit_run(trigger=AuditRun.Trigger.COMMAND)
    assert report.violations == 0
    of_orders = dict.fromkeys(
        [
            "orders_terminal",
            "confirmed_means_captured",
            "cancelled_keeps_no_money",
            "payment_status_matches_ledger",
            "no_reservation_for_dead_orders",
            "confirmed_orders_hold_their_stock",
            "sent_orders_sold_their_stock",
            "one_shipment_only_if_captured",
            "returns_terminal",
            "returns_refunded_once",
            "returns_within_sold",
            "returns_restocked",
            "money_balances",
            "one_capture_at_gateway",
            "captures_match_gateway",
            "idempotency_replayable",
        ],
        4,
    )
    of_products = dict.fromkeys(
        [
            "stock_items_exist",
            "stock_never_oversold",
            "stock_matches_reservations",
            "stock_matches_ledger",
        ],
        2,
    )
    of_events = {"events_archived": 0, "events_applied": 0}  # all are young
    # Its consumers take no part in these tests: nothing is at rest for long enough to be compared.
    of_read_model = {"read_model_matches": 0, "daily_sales_match": 0}
    of_caches = {"cache_matches": 0, "write_behind_drained": 0}  # nobody reads or feeds here
    expected = of_orders | of_products | of_events | of_read_model | of_caches
    assert {name: one.checked for name, one in report.checks.items()} == expected


def test_an_order_left_pending(books):
    update("orders", "UPDATE orders_order SET status = 'pending' WHERE id = %s", books.confirmed)
    assert violations() == {
        "orders_terminal": [str(books.confirmed)],
        "money_balances": ["GBP"],
    }


def test_an_order_without_a_saga(books):
    runs = "SELECT id FROM sagas_sagarun WHERE business_key = %s::text AND kind = 'checkout'"
    assert execute("orders", f"DELETE FROM sagas_sagastep WHERE run_id IN ({runs})", [books.short])
    update("orders", f"DELETE FROM sagas_sagarun WHERE id IN ({runs})", books.short)
    assert violations() == {"orders_terminal": [str(books.short)]}


def test_a_saga_under_way_for_hours(books):
    placed = books.trade.place()
    assert violations() == {}
    update(
        "orders",
        "UPDATE sagas_sagarun SET created_at = created_at - interval '3 hours' WHERE id = %s",
        placed.saga_id,
    )
    assert violations() == {"orders_terminal": [str(placed.saga_id)]}


def test_a_compensated_order_that_is_confirmed(books):
    update("orders", "UPDATE orders_order SET status = 'confirmed' WHERE id = %s", books.short)
    assert violations() == {
        "orders_terminal": [str(books.short)],
        "confirmed_means_captured": [str(books.short)],
        "confirmed_orders_hold_their_stock": [str(books.short)],
        "one_shipment_only_if_captured": [str(books.short)],
        "money_balances": ["GBP"],
    }


def test_a_confirmed_order_of_another_total(books):
    update(
        "orders",
        "UPDATE orders_order SET total = total + 1, goods_total = goods_total + 1 WHERE id = %s",
        books.confirmed,
    )
    # The answer that its key got tells of the old total.
    found = violations()
    assert [one.split(":")[0] for one in found.pop("idempotency_replayable")] == ["orders"]
    assert found == {
        "confirmed_means_captured": [str(books.confirmed)],
        "money_balances": ["GBP"],
    }


def test_money_kept_for_a_cancelled_order(books):
    update("orders", "UPDATE orders_order SET status = 'cancelled' WHERE id = %s", books.shipped)
    assert violations() == {
        "cancelled_keeps_no_money": [str(books.shipped)],
        "sent_orders_sold_their_stock": [str(books.shipped)],
        "money_balances": ["GBP"],
    }


def test_a_payment_status_that_is_not_the_ledgers(books):
    update(
        "orders",
        "UPDATE orders_order SET payment_status = 'captured' WHERE id = %s",
        books.short,
    )
    assert violations() == {"payment_status_matches_ledger": [str(books.short)]}


def test_a_refund_nobody_made(books):
    assert execute(
        "orders",
        """
        INSERT INTO payments_paymententry
            (payment_id, operation, state, amount, currency, idempotency_key, gateway_reference,
             code, detail)
        SELECT id, 'refund', 'succeeded', amount, 'GBP', 'rogue', '', '', ''
        FROM payments_payment WHERE order_id = %s
        """,
        [books.shipped],
    )
    assert violations() == {
        "confirmed_means_captured": [str(books.shipped)],
        "one_shipment_only_if_captured": [str(books.shipped)],
        "payment_status_matches_ledger": [str(books.shipped)],
        "captures_match_gateway": [str(books.shipped)],
        "money_balances": ["GBP"],
    }


@pytest.mark.parametrize("whose", ["short", "shipped", "nobody"])
def test_stock_held_for_an_order_that_will_not_be_sent(books, whose):
    order_id = uuid4() if whose == "nobody" else getattr(books, whose)
    books.reserve(order_id)
    assert violations() == {"no_reservation_for_dead_orders": [str(order_id)]}


def test_a_confirmed_order_whose_stock_was_given_away(books):
    catalog.release_stock([ReleaseStock("rogue", "never", books.confirmed)])
    assert violations() == {"confirmed_orders_hold_their_stock": [str(books.confirmed)]}


def test_a_parcel_whose_stock_was_given_away(books):
    catalog.release_stock([ReleaseStock("rogue", "never", books.confirmed)])
    orders.ship_order(ShipOrder(books.confirmed))
    drive_all()
    assert violations() == {"sent_orders_sold_their_stock": [str(books.confirmed)]}


def test_stock_that_left_for_an_order_that_was_not_sent(books):
    catalog.dispatch_stock([DispatchStock("rogue", books.confirmed)])
    assert violations() == {
        "confirmed_orders_hold_their_stock": [str(books.confirmed)],
        "sent_orders_sold_their_stock": [str(books.confirmed)],
    }


@pytest.mark.parametrize("whose", ["short", "refused"])
def test_a_parcel_nobody_paid_for(books, whose):
    order_id = getattr(books, whose)
    with transaction.atomic(using="orders"):
        shipping.schedule([ScheduleShipment(order_id, {})])
        execute(
            "orders",
            "UPDATE shipping_shipment SET status = 'scheduled' WHERE order_id = %s",
            [order_id],
        )
    assert violations() == {"one_shipment_only_if_captured": [str(order_id)]}


def test_a_paid_order_that_nobody_sends(books):
    with transaction.atomic(using="orders"):
        shipping.cancel([books.confirmed])
    assert violations() == {"one_shipment_only_if_captured": [str(books.confirmed)]}


def test_a_second_capture_at_the_gateway(books):
    books.falsify_gateway(books.confirmed, captures=2)
    assert violations() == {"one_capture_at_gateway": [str(books.confirmed)]}


def test_a_gateway_that_kept_less(books):
    books.falsify_gateway(books.confirmed, captured=100)
    assert violations() == {"captures_match_gateway": [str(books.confirmed)]}


def test_a_capture_for_no_order_of_ours(books):
    amount = {"amount": "5.00", "currency": "GBP"}
    for path, body in (
        ("authorizations", {"reference": "x", "amount": amount, "card_token": "tok_approve"}),
        ("payments/x/captures", {}),
    ):
        answer = urllib3.request(
            "POST", f"{books.gateway.url}/v1/{path}", json=body, headers={"Idempotency-Key": path}
        )
        assert answer.status == 201
    assert violations() == {"captures_match_gateway": ["x"]}


def test_a_product_oversold(books):
    check = "CHECK (reserved >= 0 AND reserved <= on_hand)"
    execute("catalog", "ALTER TABLE catalog_stockitem DROP CONSTRAINT stock_never_oversold")
    try:
        execute("catalog", "UPDATE catalog_stockitem SET on_hand = 1 WHERE reserved = 2")
        mug = str(books.mug)
        assert violations() == {"stock_never_oversold": [mug], "stock_matches_ledger": [mug]}
    finally:
        execute("catalog", "UPDATE catalog_stockitem SET on_hand = 99 WHERE on_hand = 1")
        execute(
            "catalog", f"ALTER TABLE catalog_stockitem ADD CONSTRAINT stock_never_oversold {check}"
        )


def test_a_reservation_of_more_than_is_reserved(books):
    update(
        "catalog",
        "UPDATE catalog_reservation SET quantity = 9 WHERE quantity = 2 AND status = 'live'",
    )
    assert violations() == {
        "confirmed_orders_hold_their_stock": [str(books.confirmed)],
        "stock_matches_reservations": [str(books.mug)],
    }


def test_pieces_that_came_from_nowhere(books):
    update("catalog", "UPDATE catalog_stockitem SET on_hand = on_hand + 1 WHERE reserved = 2")
    assert violations() == {"stock_matches_ledger": [str(books.mug)]}


def test_stock_books_that_vanished(books):
    update("catalog", "DELETE FROM catalog_stockitem WHERE reserved = 2")
    assert violations() == {
        check: [str(books.mug)]
        for check in ("stock_items_exist", "stock_matches_ledger", "stock_matches_reservations")
    }


@pytest.mark.parametrize(
    "falsify",
    [
        'response = response || \'{"total": {"amount": "1.00", "currency": "GBP"}}\'',
        'response = response || \'{"saga_id": "00000000-0000-0000-0000-000000000000"}\'',
        'response = response || \'{"order_id": "00000000-0000-0000-0000-000000000000"}\'',
        "response = response - 'status'",
        "request_hash = ''",
    ],
)
def test_an_answer_that_cannot_be_given_again(books, falsify):
    key = "the key"
    books.trade.place(key=key)
    drive_all()
    update("orders", f"UPDATE messaging_idempotencyrecord SET {falsify} WHERE key = %s", key)
    expected = f"orders:customer:{books.trade.customer_id}:{key}"
    assert violations() == {"idempotency_replayable": [expected]}


def test_a_count_whose_answer_cannot_be_given_again(books):
    catalog.adjust_stock(AdjustStock("count 1", "staff", books.mug, 5, "found behind the shelf"))
    assert violations() == {}
    update("catalog", "UPDATE messaging_idempotencyrecord SET response = '[]'")
    assert violations() == {"idempotency_replayable": ["catalog:staff:count 1"]}


class TestReturns:
    """Of the shipped order's mug, which came back."""

    @pytest.fixture
    def back(self, books):
        command = ReturnItems("staff:x", "r", books.shipped, "broken", (ReturnLine(1, 1),))
        answer = orders.return_items(command)
        drive_all()
        assert violations() == {}
        return answer.return_id

    def test_one_that_is_not_where_its_saga_left_it(self, books, back):
        update("orders", "UPDATE orders_orderreturn SET status = 'in_progress' WHERE id = %s", back)
        found = violations()
        assert found["returns_terminal"] == [str(books.shipped)]
        assert found["returns_refunded_once"] == [str(books.shipped)]

    def test_one_without_a_saga(self, books, back):
        runs = "SELECT id FROM sagas_sagarun WHERE business_key = %s::text"
        assert execute("orders", f"DELETE FROM sagas_sagastep WHERE run_id IN ({runs})", [back])
        update("orders", f"DELETE FROM sagas_sagarun WHERE id IN ({runs})", back)
        assert violations() == {"returns_terminal": [str(books.shipped)]}

    def test_one_of_another_amount(self, books, back):
        update("orders", "UPDATE orders_orderreturn SET amount = amount - 1 WHERE id = %s", back)
        assert violations() == {
            "confirmed_means_captured": [str(books.shipped)],
            "payment_status_matches_ledger": [str(books.shipped)],
            "returns_refunded_once": [str(books.shipped)],
            "money_balances": ["GBP"],
        }

    def test_more_than_was_sold(self, books, back):
        update("orders", "UPDATE orders_orderreturnline SET quantity = %s", 2)
        assert violations() == {
            "returns_within_sold": [str(books.shipped)],
            "returns_restocked": [str(books.shipped)],
        }

    def test_damaged_goods_on_the_shelf(self, books, back):
        update("orders", "UPDATE orders_orderreturnline SET restock = %s", False)
        assert violations() == {"returns_restocked": [str(books.shipped)]}

    def test_goods_that_came_back_of_no_order(self, books, back):
        nobody = uuid4()
        catalog.return_stock([ReturnStock("rogue", nobody, (StockLine(books.mug, 1),))])
        assert violations() == {"returns_restocked": [str(nobody)]}
