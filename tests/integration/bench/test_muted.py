"""The control of what appending costs does all the rest."""

from dataclasses import replace

import pytest

from apps.customers.models import User
from apps.messaging.models import Outbox
from apps.orders import facade
from apps.orders.contracts import OrderPlaced
from bench.events.muted import muted
from tests.trade import Trade, axes, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def told() -> list[str]:
    rows = Outbox.objects.using("orders").order_by("id")
    return list(rows.values_list("topic", flat=True))


def place(trade: Trade) -> OrderPlaced:
    command = trade.command(card="")
    return facade.place_order(replace(command, payment_method="account"))


def test_a_muted_shop_confirms_orders_and_tells_nothing_of_it():
    trade = Trade(skus=("MUG",))
    User.objects.filter(public_id=trade.customer_id).update(buys_on_account=True)
    with muted():
        quiet = place(trade)
        drive_all()
    assert axes(quiet.order_id) == ("confirmed", "captured", "scheduled")
    assert told() == []
    place(trade)
    drive_all()
    assert told() == [
        *("order.placed", "payment.authorized", "shipment.scheduled", "payment.captured"),
        "order.confirmed",
    ]
