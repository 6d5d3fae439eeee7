"""The choreographed checkout in its real processes – relay, consumers, worker – and their ends."""

from collections import Counter

import pytest

from apps.orders.models import Order
from apps.sagas.models import SagaRun
from tests.processes import Process, Shop, eventually
from tests.trade import Trade, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
GROUPS = [f"{room}.checkout" for room in ("payments", "catalog", "shipping", "orders")]
ENDED = ("completed", "compensated")


def start(shop: Shop, prefix: str) -> list[Process]:
    words = {
        "EVENTS_PREFIX": prefix,
        "EVENT_RELAY_LEASE_SECONDS": "1",
        "EVENTS_CLAIM_AFTER_SECONDS": "1",
    }
    return [
        shop.manage("relay", **words),
        shop.manage("consume", *GROUPS, **words),
        shop.worker(**words),
    ]


def test_orders_end_by_events_although_every_process_is_killed(
    shop, gateway, own_streams, settings
):
    settings.CHECKOUT_COORDINATION = "choreographed"
    trade = Trade(stock=30)
    processes = start(shop, own_streams)
    cards = ["tok_approve"] * 4 + ["tok_decline", "tok_timeout_after"]
    for number in range(24):
        trade.place(card=cards[number % len(cards)], MUG=2)
    checkouts = SagaRun.objects.filter(kind="checkout")
    eventually(lambda: checkouts.filter(status__in=ENDED).count() >= 3)
    for one in processes:
        one.kill()
    start(shop, own_streams)
    eventually(lambda: not checkouts.exclude(status__in=ENDED).exists(), seconds=60)
    by_status = Counter(Order.objects.values_list("status", flat=True))
    assert by_status == {"confirmed": 15, "cancelled": 9}  # 30 mugs; four cards are declined
    assert trade.levels()["MUG"] == (30, 30)
    charged = [one for one in gateway.payments() if one["status"] == "captured"]
    assert len(charged) == 15
    assert {one["captures"] for one in charged} == {1}
    assert violations() == {}
