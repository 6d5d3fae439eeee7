"""The web server dies while clients order; clients that repeat with their key lose nothing."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3
from django.test import Client

from apps.customers.models import User
from apps.orders.models import Order
from apps.sagas.models import SagaRun
from tests.processes import eventually
from tests.trade import Trade, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
ORDERS, CLIENTS, KILLS = 500, 8, 3


def session_cookie(trade: Trade) -> dict[str, str]:
    """Headers that log the customer in: a session and its CSRF token."""
    client = Client()
    client.force_login(User.objects.get(public_id=trade.customer_id))
    cookies = {"sessionid": client.cookies["sessionid"].value, "csrftoken": "c" * 32}
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"Cookie": cookie, "X-CSRFToken": "c" * 32}


class RetryingClient:
    """Places an order with its key, again and again until there is an answer."""

    def __init__(self, shop, trade, headers):
        self.url, self.trade, self.headers = f"{shop.url}/api/v1/orders", trade, headers
        self.pool = urllib3.PoolManager(maxsize=CLIENTS)
        self.retries = Counter()

    def place(self, number: int) -> str:
        body = {
            "lines": [{"product_id": str(self.trade.products["MUG"]), "quantity": 1}],
            "payment": {"card_token": "tok_approve"},
            "shipping_address": {"name": "A", "line1": "1 St", "city": "X", "country": "GB"},
        }
        headers = self.headers | {"Idempotency-Key": f"order-{number}"}
        for _ in range(2_000):
            try:
                answer = self.pool.request(
                    "POST", self.url, json=body, headers=headers, retries=False, timeout=5
                )
            except urllib3.exceptions.HTTPError as error:
                self.retries[type(error).__name__] += 1
                threading.Event().wait(0.02)
                continue
            if answer.status == 202:
                return answer.json()["id"]
            assert answer.status in (409, 503), answer.data
            self.retries[str(answer.status)] += 1
        raise AssertionError(f"no answer for order {number}")


def test_500_orders_are_each_placed_once_while_the_web_server_is_killed(shop, gateway):
    trade = Trade(stock=ORDERS)
    shop.worker()
    web = shop.web()
    client = RetryingClient(shop, trade, session_cookie(trade))
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [pool.submit(client.place, number) for number in range(ORDERS)]
        for kill in range(1, KILLS + 1):
            wanted = ORDERS * kill // (KILLS + 1)
            eventually(lambda wanted=wanted: sum(one.done() for one in answers) >= wanted)
            web.kill()
            web = shop.web()
        ids = [answer.result() for answer in answers]
    assert client.retries.total() > 0  # the kills were felt
    assert len(set(ids)) == ORDERS == Order.objects.count()
    eventually(lambda: not SagaRun.objects.exclude(status="completed").exists(), seconds=60)
    assert Counter(Order.objects.values_list("status", flat=True)) == {"confirmed": ORDERS}
    assert Counter(one["status"] for one in gateway.payments()) == {"captured": ORDERS}
    assert trade.levels()["MUG"] == (ORDERS, ORDERS)
    assert violations() == {}


@pytest.mark.parametrize("variable", ["QUEUE_REDIS_URL", "BROKER_URL"])
def test_orders_are_accepted_at_once_while_the_broker_is_away(shop, variable):
    trade = Trade()
    shop.web(**{variable: "redis://127.0.0.1:1/0"})
    client = RetryingClient(shop, trade, session_cookie(trade))
    client.place(0)
    begun = time.monotonic()
    for number in range(1, 6):
        client.place(number)
    assert time.monotonic() - begun < 1.5  # not one of them waits for it
    assert Order.objects.count() == 6
