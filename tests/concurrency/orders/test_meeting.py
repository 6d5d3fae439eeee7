"""Engines, customers and staff at the same orders at the same moment."""

import threading
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from apps.common.errors import Conflict
from apps.orders import facade
from apps.orders.contracts import CancelOrder, ShipOrder
from apps.orders.models import Order
from apps.sagas.models import SagaRun
from tests.concurrency.sagas.engines import drain, threads
from tests.processes import eventually
from tests.trade import Trade, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
ORDERS = 60
ENDS = {
    ("shipped", "captured", "shipped"),
    ("cancelled", "refunded", "cancelled"),  # after its checkout
    ("cancelled", "voided", "cancelled"),  # in the middle of it
    ("cancelled", "voided", "not_fulfilled"),
    ("cancelled", "not_paid", "not_fulfilled"),  # before it
}
ANSWERS = {"taken", "invalid_transition", "cancellation_under_way"}


def ship(order_id) -> None:
    facade.ship_order(ShipOrder(order_id))


def cancel(order_id) -> None:
    facade.cancel_order(CancelOrder("c", f"cancel {order_id}", order_id, "changed_mind"))


def each(ids: list, command: Callable, answers: list[str], seed: int) -> Callable[[], None]:
    """Gives ``command`` to all of ``ids`` in an order of its own."""

    def work() -> None:
        for order_id in Random(seed).sample(ids, len(ids)):
            try:
                command(order_id)
                answers.append("taken")
            except Conflict as error:
                answers.append(error.code)

    return work


def test_an_order_ends_one_way_though_all_pull_at_it_at_once(gateway):
    trade = Trade(stock=ORDERS)
    ids = [trade.place(MUG=1).order_id for _ in range(ORDERS // 2)]
    drain()  # these are confirmed, the others are not yet
    ids += [trade.place(MUG=1).order_id for _ in range(ORDERS // 2)]
    answers, over = [], threading.Event()

    def engine() -> None:
        while not over.is_set():
            drain()
            over.wait(0.01)

    with threads(5) as submit:
        engines = [submit(engine), submit(engine)]
        people = [(ship, 1), (cancel, 2), (ship, 3)]
        try:
            for one in [submit(each(ids, command, answers, seed)) for command, seed in people]:
                one.result(30)
            eventually(lambda: not SagaRun.objects.filter(finished_at=None).exists())
        finally:
            over.set()
        for one in engines:
            one.result(30)
    axes = Counter(Order.objects.values_list("status", "payment_status", "fulfillment_status"))
    assert set(axes) <= ENDS
    assert {status for status, _, _ in axes} == {"shipped", "cancelled"}
    assert set(answers) <= ANSWERS
    assert not SagaRun.objects.filter(status="failed").exists()
    shipped = axes["shipped", "captured", "shipped"]
    assert trade.levels()["MUG"] == (ORDERS - shipped, 0)
    assert violations() == {}
