"""From a customer's deed to the mail in their box, over outbox, group and mail server."""

import random
from collections import Counter

import pytest

from apps.common.databases import fetch_all
from apps.customers.accounts import customer_sign_up
from apps.messaging.consuming.delivering import deliver
from apps.messaging.relay.queue import ENVELOPE
from apps.notifications.intents import GROUP
from apps.notifications.mailer import send_due
from apps.notifications.models import Email
from apps.orders import facade as orders
from apps.orders.contracts import CancelOrder, ReturnItems, ReturnLine, ShipOrder
from tests.integration.notifications.post import due_now
from tests.trade import Trade, drive_all


def told_so_far() -> list[bytes]:
    """Every event of customers and orders, as the relay sends it."""
    return [
        row[0].encode()
        for alias in ("default", "orders")
        for row in fetch_all(alias, f"SELECT {ENVELOPE} FROM messaging_outbox ORDER BY id")
    ]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_each_event_of_orders_is_one_mail_whatever_the_order_of_events(gateway, mail_server):
    customer_sign_up(email="ada@example.org", name="Ada Lovelace", password="a long secret pw")
    trade = Trade(email="ada@example.org")
    sent, regretted, refused = trade.place(MUG=2), trade.place(CUP=1), trade.place(MUG=200)
    drive_all()
    orders.ship_order(ShipOrder(sent.order_id))
    principal = f"customer:{trade.customer_id}"
    orders.cancel_order(CancelOrder(principal, "c", regretted.order_id, "changed_mind"))
    drive_all()
    orders.return_items(ReturnItems("staff:1", "r", sent.order_id, "too big", (ReturnLine(1, 1),)))
    drive_all()

    bodies = told_so_far() * 2
    random.Random(5).shuffle(bodies)
    for half in (bodies[::2], bodies[1::2]):
        deliver(GROUP, half)
        send_due()
    due_now()
    send_due()

    assert Counter(Email.objects.values_list("kind", "state")) == {
        ("welcome", "sent"): 1,
        ("order_confirmed", "sent"): 2,
        ("order_shipped", "sent"): 1,
        ("order_cancelled", "sent"): 2,
        ("order_refunded", "sent"): 1,
    }
    assert len(mail_server.taken) == 7
    why = {
        mail["Subject"].split()[2]: "was in stock" in mail.get_body(("plain",)).get_content()
        for mail in mail_server.taken
        if mail["Subject"].endswith("cancelled")
    }
    assert why == {number(regretted): False, number(refused): True}


def number(placed) -> str:
    return placed.order_id.hex[-8:].upper()
