"""Of no line more comes back than was sold, and no penny twice, however many ask at once."""

import threading
from collections import Counter
from collections.abc import Callable
from uuid import uuid4

import pytest
from moneyed import Money

from apps.common.errors import HoldfastError
from apps.orders import facade
from apps.orders.contracts import OrderLine, ReturnItems, ReturnLine, ShipOrder
from apps.orders.models import Order, OrderReturn
from apps.orders.services import returning
from apps.sagas.models import SagaRun
from tests.concurrency.sagas.engines import drain, threads
from tests.processes import eventually
from tests.trade import Trade, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
ASKING, SOLD = 10, 4


@pytest.fixture
def trade(gateway):
    return Trade(stock=500)


def shipped(trade, quantity: int, lines: int = 1):
    command = trade.command(MUG=quantity)
    line = OrderLine(trade.products["MUG"], quantity)
    command = type(command)(
        **{name: getattr(command, name) for name in command.__slots__} | {"lines": (line,) * lines}
    )
    order_id = facade.place_order(command).order_id
    drain()
    facade.ship_order(ShipOrder(order_id))
    drain()
    return order_id


def items(order_id, *lines, key: str = "", amount: str = "") -> ReturnItems:
    return ReturnItems(
        principal="staff:x",
        key=key or str(uuid4()),
        order_id=order_id,
        reason="broken",
        lines=tuple(ReturnLine(*one) for one in lines),
        amount=Money(amount, "GBP") if amount else None,
    )


def at_once(*commands: Callable[[], object]) -> Counter:
    """How often each answer was given: ``taken`` or an error's code."""
    start = threading.Barrier(len(commands), timeout=20)

    def work(command) -> str:
        start.wait()
        try:
            command()
        except HoldfastError as error:
            return error.code
        return "taken"

    with threads(len(commands)) as submit:
        return Counter(
            one.result(60) for one in [submit(lambda one=one: work(one)) for one in commands]
        )


def test_ten_returns_of_four_pieces_take_exactly_four(trade, gateway):
    order_id = shipped(trade, SOLD)
    answers = at_once(
        *[lambda: facade.return_items(items(order_id, (1, 1))) for _ in range(ASKING)]
    )
    assert answers == {"taken": SOLD, "invalid": ASKING - SOLD}
    drain()
    assert [one["refunded"]["amount"] for one in gateway.payments()] == ["38.00"]
    assert violations() == {}


def test_control_decided_without_the_lock_more_comes_back_than_was_sold(trade, monkeypatch):
    order_id = shipped(trade, 1)
    decided = threading.Barrier(2, timeout=20)
    take = returning.take

    def unlocked(order_ids):
        return {one.pk: one for one in Order.objects.filter(pk__in=order_ids)}

    def take_together(*words):
        taken = take(*words)
        decided.wait()
        return taken

    monkeypatch.setattr(returning, "orders_locked", unlocked)
    monkeypatch.setattr(returning, "take", take_together)
    answers = at_once(*[lambda: facade.return_items(items(order_id, (1, 1))) for _ in range(2)])
    assert answers == {"taken": 2}
    assert OrderReturn.objects.filter(status="in_progress").count() == 2  # of one piece sold
    drain()  # only the payment's own guard is left: what is more than captured is not refunded
    statuses = OrderReturn.objects.values_list("status", flat=True)
    assert sorted(statuses) == ["completed", "refused"]


def test_a_form_sent_many_times_returns_once(trade, gateway):
    order_id = shipped(trade, SOLD)
    command = items(order_id, (1, 1), key="one")
    answers = at_once(*[lambda: facade.return_items(command) for _ in range(6)])
    assert set(answers) <= {"taken", "request_in_progress"}
    assert OrderReturn.objects.count() == 1
    drain()
    assert [one["refunded"]["amount"] for one in gateway.payments()] == ["9.50"]


def test_engines_and_people_at_the_same_few_orders_meet_without_deadlock(trade, gateway):
    orders = [shipped(trade, 5, lines=2) for _ in range(3)]
    over = threading.Event()

    def engine() -> None:
        while not over.is_set():
            drain()
            over.wait(0.01)

    with threads(2) as submit:
        engines = [submit(engine), submit(engine)]
        try:
            answers = at_once(
                *[
                    lambda order_id=order_id, line=line: [
                        facade.return_items(items(order_id, (line, 1))) for _ in range(5)
                    ]
                    for order_id in orders
                    for line in (1, 2)
                ],
                *[lambda one=one: facade.return_items(items(one, amount="0.01")) for one in orders],
            )
            eventually(lambda: not SagaRun.objects.filter(finished_at=None).exists())
        finally:
            over.set()
        for one in engines:
            one.result(30)
    # The penny may come last, when the goods have taken all the money that is left.
    assert answers["taken"] >= 6
    assert set(answers) <= {"taken", "invalid"}
    assert set(OrderReturn.objects.values_list("status", flat=True)) == {"completed"}
    assert OrderReturn.objects.exclude(goods_total=0).count() == 30
    assert trade.levels()["MUG"] == (500, 0)
    assert violations() == {}
