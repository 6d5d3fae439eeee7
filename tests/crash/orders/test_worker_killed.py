"""The worker dies on an order's way; the next one ends it right."""

import signal

import pytest

from apps.orders import facade as orders
from tests.processes import eventually
from tests.trade import Trade, axes, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

# tests/crash/failpoints dies at all of them; here the process is a Celery worker.
ON_THE_WAY = ["saga.begin.after_commit:1", "catalog.reserve.after_commit:1"]
ON_THE_WAY_BACK = ["saga.checkpoint.after_commit:3"]


def carried_out(shop, failpoint: str, saga_id) -> None:
    """Lets a worker die at ``failpoint``, then another one finish."""
    doomed = shop.worker(FAILPOINTS_ENABLED="on", FAILPOINT=f"{failpoint}:kill")
    assert doomed.wait() == -signal.SIGKILL
    doomed.kill()
    shop.worker()
    eventually(lambda: orders.get_saga(saga_id).finished_at, seconds=40)


@pytest.mark.parametrize("failpoint", ON_THE_WAY)
def test_an_order_is_confirmed_once_wherever_the_worker_dies(shop, gateway, failpoint):
    trade = Trade()
    placed = trade.place(MUG=2, CUP=1)
    carried_out(shop, failpoint, placed.saga_id)
    assert axes(placed.order_id) == ("confirmed", "captured", "scheduled")
    assert trade.levels() == {"MUG": (100, 2), "CUP": (100, 1)}
    [payment] = gateway.payments()
    assert payment["captured"]["amount"] == "28.50"
    assert payment["refunded"]["amount"] == "0.00"
    assert violations() == {}


@pytest.mark.parametrize("failpoint", ON_THE_WAY_BACK)
def test_a_short_order_keeps_no_money_wherever_the_worker_dies(shop, gateway, failpoint):
    trade = Trade(stock=3)
    placed = trade.place(MUG=2, CUP=4)
    carried_out(shop, failpoint, placed.saga_id)
    assert axes(placed.order_id) == ("cancelled", "voided", "not_fulfilled")
    assert trade.levels() == {"MUG": (3, 0), "CUP": (3, 0)}
    [payment] = gateway.payments()
    assert payment["captured"]["amount"] == "0.00"
    assert payment["status"] == "voided"
    assert violations() == {}
