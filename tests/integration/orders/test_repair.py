"""What staff may do to the sagas of a real order, with a real gateway: the books stay right."""

import pytest

from apps.orders import facade as orders
from apps.orders.contracts import CancelOrder
from apps.orders.errors import CheckoutParked
from apps.sagas import facade as sagas
from apps.sagas.engine.driver import drive_batch
from apps.sagas.errors import NotRepairable
from apps.sagas.models import SagaLogEntry, SagaRun
from tests.trade import Trade, axes, drive_all, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
CONFIRMED = ("confirmed", "captured", "scheduled")


@pytest.fixture
def trade(gateway) -> Trade:
    return Trade()


def run_of(order_id, kind: str = "checkout") -> SagaRun:
    return SagaRun.objects.get(business_key=str(order_id), kind=kind)


def act(action, order_id, kind: str = "checkout"):
    run = run_of(order_id, kind)
    return action(run.pk, run.version, "looked at it")


def cancel(order_id, key: str):
    return orders.cancel_order(CancelOrder("staff:1", key, order_id, "changed_mind"))


def parked_at_its_capture(trade: Trade, card: str):
    """An order whose capture got no answer, and whose run staff took away then."""
    order_id = trade.place(card=card).order_id
    while run_of(order_id).step != "capture_payment" or run_of(order_id).attempt == 1:
        drive_batch()
    act(sagas.park_run, order_id)
    return order_id


@pytest.mark.parametrize("card", ["tok_capture_timeout_after", "tok_capture_timeout_always"])
def test_a_capture_nobody_heard_of_is_turned_back_and_the_money_with_it(trade, gateway, card):
    order_id = parked_at_its_capture(trade, card)
    act(sagas.compensate_run, order_id)
    drive_all()
    assert axes(order_id)[0] == "cancelled"
    assert orders.get_order(order_id).cancel_reason == "stopped_by_staff"
    [payment] = gateway.payments()
    assert payment["captured"]["amount"] == payment["refunded"]["amount"]
    assert trade.levels()["MUG"] == (100, 0)
    assert violations() == {}


def test_past_the_capture_a_checkout_is_only_completed(trade):
    order_id = trade.place().order_id
    drive_all()
    SagaRun.objects.update(status="failed", step="confirm_order", position=5)
    with pytest.raises(NotRepairable, match="only be completed"):
        act(sagas.compensate_run, order_id)
    act(sagas.retry_run, order_id)
    drive_all()
    assert axes(order_id) == CONFIRMED
    assert violations() == {}


def test_a_cancellation_that_a_parked_checkout_refused_is_asked_again(trade):
    order_id = trade.place(card="tok_capture_timeout_before").order_id
    while run_of(order_id).attempt == 1:
        drive_batch()
    cancel(order_id, "first")  # too late for the checkout to turn: its capture was asked for
    act(sagas.park_run, order_id)
    drive_all()
    refused = run_of(order_id, "cancellation")
    assert (refused.status, refused.error_code) == ("compensated", "checkout_parked")
    with pytest.raises(CheckoutParked):
        cancel(order_id, "second")

    act(sagas.retry_run, order_id)
    drive_all()
    assert axes(order_id) == CONFIRMED
    assert cancel(order_id, "third").saga_id == refused.pk
    drive_all()
    assert axes(order_id) == ("cancelled", "refunded", "cancelled")
    assert run_of(order_id, "cancellation").status == "completed"
    log = SagaLogEntry.objects.filter(run=refused).values_list("event", flat=True)
    assert "asked_again" in log
    assert violations() == {}


def test_staff_retry_a_refused_cancellation(trade):
    order_id = trade.place(card="tok_capture_timeout_before").order_id
    while run_of(order_id).attempt == 1:
        drive_batch()
    cancel(order_id, "first")
    act(sagas.park_run, order_id)
    drive_all()
    act(sagas.retry_run, order_id)
    drive_all()
    act(sagas.retry_run, order_id, "cancellation")
    drive_all()
    assert axes(order_id) == ("cancelled", "refunded", "cancelled")
    assert violations() == {}


def test_a_cancelled_checkout_is_never_begun_again(trade):
    order_id = trade.place(card="tok_decline").order_id
    drive_all()
    with pytest.raises(NotRepairable, match="ended"):
        act(sagas.retry_run, order_id)
