"""An order over the API with the shop's own processes, of which those that carry events are killed
on the way: the event log has its whole story, each event once."""

from collections import Counter

import pytest
import urllib3

from apps.common.databases import fetch_all
from tests.crash.orders.test_web_killed import session_cookie
from tests.processes import Shop, eventually
from tests.trade import Trade

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
PLACED = {
    *("order.placed", "payment.authorized", "stock.reserved", "shipment.scheduled"),
    *("payment.captured", "order.confirmed"),
}
CANCELLED = {"order.cancelled", "payment.refunded", "stock.released", "shipment.cancelled"}


def ask(shop: Shop, path: str, body: dict, headers: dict[str, str], request_id: str) -> dict:
    answer = urllib3.request(
        "POST",
        f"{shop.url}/api/v1/{path}",
        json=body,
        headers=headers | {"Idempotency-Key": request_id, "X-Request-ID": request_id},
        timeout=30,
    )
    assert answer.status == 202, answer.data
    return answer.json()


def story(request_id: str) -> Counter:
    """How often the log has each topic with this cause."""
    rows = fetch_all(
        "reporting",
        "SELECT topic FROM eventlog_event WHERE headers ->> 'correlation_id' = %s",
        [request_id],
    )
    return Counter(topic for [topic] in rows)


def carriers(shop: Shop, prefix: str) -> list:
    """The relay, and the log's consumer."""
    words = {"EVENTS_PREFIX": prefix, "EVENTS_CLAIM_AFTER_SECONDS": "0.5"}
    return [shop.manage("relay", **words), shop.manage("consume", "archive", **words)]


def test_the_log_tells_the_whole_story_of_an_order(shop, own_streams):
    trade = Trade()
    headers = session_cookie(trade)
    shop.worker()
    shop.web()
    started = carriers(shop, own_streams)
    order = {
        "lines": [{"product_id": str(trade.products["MUG"]), "quantity": 2}],
        "payment": {"card_token": "tok_approve"},
        "shipping_address": {"name": "A", "line1": "1 St", "city": "X", "country": "GB"},
    }
    placed = ask(shop, "orders", order, headers, "story-1")
    eventually(lambda: story("story-1")["order.placed"])
    for one in started:
        one.kill()
    carriers(shop, own_streams)
    eventually(lambda: set(story("story-1")) >= PLACED, seconds=60)

    ask(shop, f"orders/{placed['id']}/cancel", {"reason": "changed_mind"}, headers, "story-2")
    eventually(lambda: set(story("story-2")) >= CANCELLED, seconds=60)
    assert story("story-1") == Counter(PLACED)
    assert story("story-2") == Counter(CANCELLED)
