"""A small day through the checkout: the read model ends up with the shop's own books."""

import pytest
from django.conf import settings as django_settings
from django.test import override_settings

from apps.common.databases import execute, fetch_all
from apps.messaging.consuming.delivering import Verdict, deliver
from apps.messaging.relay.queue import ENVELOPE
from apps.orders import facade as orders
from apps.orders.contracts import CancelOrder, DeliverOrder, ReturnItems, ReturnLine, ShipOrder
from apps.reporting.consumers import REPORTING
from apps.reporting.models import OrderView
from tests.pump import settle
from tests.trade import Trade, drive_all, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def told() -> list[bytes]:
    """Everything that any database told, repeated and in no order."""
    bodies = [
        body.encode()
        for alias in django_settings.DATABASES
        for (body,) in fetch_all(alias, f"SELECT {ENVELOPE} FROM messaging_outbox ORDER BY id")
    ]
    return [*bodies[::-1], *bodies[::3]]


@pytest.fixture
def a_day(gateway) -> Trade:
    trade = Trade()
    sent, back, gone, declined = (
        trade.place(MUG=2, CUP=1),
        trade.place(MUG=3),
        trade.place(CUP=4),
        trade.place(card="tok_decline"),
    )
    drive_all()
    with override_settings(CHECKOUT_COORDINATION="choreographed"):
        trade.place(MUG=1)
    settle()
    orders.cancel_order(CancelOrder("staff:1", "gone", gone.order_id, "changed_mind"))
    for one in (sent, back):
        orders.ship_order(ShipOrder(one.order_id))
    orders.deliver_order(DeliverOrder(back.order_id))
    drive_all()
    lines = (ReturnLine(1, 2),)
    orders.return_items(ReturnItems("staff:1", "back", back.order_id, "too big", lines))
    drive_all()
    trade.orders = {"sent": sent, "back": back, "gone": gone, "declined": declined}
    return trade


def test_the_totals_are_the_shops_own_to_the_penny(a_day):
    assert set(deliver(REPORTING, told())) <= {
        Verdict.APPLIED,
        Verdict.DUPLICATE,
        Verdict.NOT_MEANT,
    }
    of_orders = fetch_all(
        "orders",
        "SELECT id, customer_id, status, payment_status, fulfillment_status, currency, goods_total,"
        " shipping_total, total, returned_total, placed_at FROM orders_order ORDER BY id",
    )
    of_views = fetch_all(
        "reporting",
        "SELECT order_id, customer_id, status, payment_status, fulfillment_status, currency,"
        " subtotal, shipping, total, refunded, placed_at FROM reporting_orderview"
        " ORDER BY order_id",
    )
    assert of_views == of_orders
    assert {row[2:5] for row in of_views} == {
        ("confirmed", "captured", "scheduled"),
        ("shipped", "captured", "shipped"),
        ("delivered", "partially_refunded", "delivered"),
        ("cancelled", "refunded", "cancelled"),
        ("cancelled", "declined", "not_fulfilled"),
    }
    assert set(OrderView.objects.values_list("customer_name", "customer_email")) == {
        ("Ada Lovelace", "ada@example.org")
    }
    assert violations() == {}


def test_the_audit_finds_what_the_read_model_has_wrong(a_day, settings):
    settings.EVENTS_LATE_AFTER_SECONDS = 0.0
    deliver(REPORTING, told())
    order_id = a_day.orders["sent"].order_id
    execute("orders", "UPDATE orders_order SET updated_at = now() - interval '1 second'")
    assert _wrong() == {}

    execute("reporting", "UPDATE reporting_orderview SET total = 1 WHERE order_id = %s", [order_id])
    execute("reporting", "DELETE FROM reporting_dailysales WHERE dimension = 'category'")
    assert _wrong() == {
        "read_model_matches": [str(order_id)],
        "daily_sales_match": ["category GBP", "country GBP", "product GBP"],
    }


def _wrong() -> dict[str, list[str]]:
    """What the checks of the read model say; others judge what this test leaves out."""
    names = ("read_model_matches", "daily_sales_match")
    return {name: ids for name, ids in violations().items() if name in names}
