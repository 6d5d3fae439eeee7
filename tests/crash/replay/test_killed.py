"""kill -9 in the middle of the main job: started again, it ends with the same books.

One trading day of the sample, with the processes that ``make up`` runs.
"""

import signal

import orjson
import pytest

from apps.common.databases import fetch_one
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

BOOKS = {
    "orders": {"placed": 121, "confirmed": 121, "compensated": 0, "failed": 0},
    "goods_value": "46219.29",
    "shipping_value": "137.00",
    "captured_value": "46356.29",
}


RETURNS = {"pieces": 6, "orders": 1, "taken": 1, "completed": 1}


def start_replay(shop, *words: str, **environment: str):
    return shop.manage("replay_sales", "--limit-days", "1", "--json", *words, **environment)


def books(process) -> dict:
    """What a replay that ended well printed last."""
    assert process.wait(120) == 0, process.output()
    answer = orjson.loads(process.output().strip().splitlines()[-1])
    assert answer["audit"]["violations"] == 0
    assert answer["audit"]["checks"]["orders_terminal"]["checked"] == 121
    return answer


def assert_same_books(process) -> None:
    answer = books(process)
    assert {name: answer[name] for name in BOOKS} == BOOKS


def orders_there() -> int:
    return fetch_one("orders", "SELECT count(*) FROM orders_order")[0]


@pytest.mark.parametrize("failpoint", ["order.place.before_commit", "order.place.after_commit"])
def test_the_replaying_process_is_killed(shop, failpoint):
    shop.worker()
    doomed = start_replay(shop, FAILPOINTS_ENABLED="on", FAILPOINT=f"{failpoint}:50:kill")
    assert doomed.wait() == -signal.SIGKILL
    assert 48 <= orders_there() <= 51  # whatever the other thread was at
    assert_same_books(start_replay(shop))
    assert orders_there() == 121


def test_the_replaying_process_is_killed_when_it_ships_and_when_it_takes_back(shop):
    shop.worker()
    for failpoint in ("order.ship.after_commit", "order.return.after_commit"):
        doomed = start_replay(shop, FAILPOINTS_ENABLED="on", FAILPOINT=f"{failpoint}:1:kill")
        assert doomed.wait() == -signal.SIGKILL
    answer = books(start_replay(shop))
    assert {name: answer["returns"][name] for name in RETURNS} == RETURNS


def test_the_worker_is_killed(shop):
    doomed = shop.worker(FAILPOINTS_ENABLED="on", FAILPOINT="saga.checkpoint.after_commit:3:kill")
    replay = start_replay(shop)
    assert doomed.wait() == -signal.SIGKILL
    shop.worker()
    assert_same_books(replay)


def test_the_gateway_is_killed(shop, gateway):
    shop.worker()
    replay = start_replay(shop)
    eventually(lambda: len(gateway.payments()) >= 20, every=0.01)
    gateway.kill()
    eventually(lambda: orders_there() == 121)
    gateway.start()
    assert_same_books(replay)
    # By the gateway's own record: each order's money was taken once.
    payments = gateway.payments()
    assert len(payments) == 121
    assert {payment["captures"] for payment in payments} == {1}


def test_all_of_them_are_killed_while_stock_is_scarce(shop, gateway):
    doomed = shop.worker(FAILPOINTS_ENABLED="on", FAILPOINT="catalog.reserve.after_commit:1:kill")
    first = start_replay(
        shop,
        *("--stock", "scarce"),
        FAILPOINTS_ENABLED="on",
        FAILPOINT="order.place.after_commit:90:kill",
    )
    assert first.wait() == -signal.SIGKILL
    assert doomed.wait() == -signal.SIGKILL
    gateway.restart()
    shop.worker()
    answer = books(start_replay(shop, "--stock", "scarce"))
    orders = answer["orders"]
    assert orders["placed"] == 121
    assert orders["confirmed"] + orders["compensated"] == 121
    assert orders["confirmed"] and orders["compensated"]
    kept = [one for one in gateway.payments() if one["captures"]]
    assert len(kept) == orders["confirmed"]
    assert sum(round(float(one["captured"]["amount"]) * 100) for one in kept) == round(
        float(answer["captured_value"]) * 100
    )
