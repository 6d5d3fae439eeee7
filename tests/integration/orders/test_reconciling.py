"""The money reconciler over real orders: what their sagas say decides what is done."""

import io

import pytest
from django.core.management import CommandError, call_command
from moneyed import Money

from apps.orders import facade
from apps.orders.contracts import CancelOrder
from apps.orders.reconciling import OurOrders, reconcile_money
from apps.payments import client
from apps.payments.contracts import Standing
from apps.payments.models import MoneyDiscrepancy, Payment
from apps.sagas.models import SagaRun
from apps.scheduling import facade as scheduling
from tests.integration.payments.money import open_payment
from tests.trade import Trade, axes, drive_all, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
TOTAL = Money("9.50", "GBP")


@pytest.fixture
def trade(gateway, settings):
    settings.RECONCILE_AFTER_SECONDS = 0
    return Trade()


def reference(order_id):
    return Payment.objects.get(order_id=order_id).pk


def cancel(order_id) -> None:
    facade.cancel_order(CancelOrder("customer:x", f"cancel {order_id}", order_id, "changed_mind"))


def drive_to_the_end() -> None:
    """Drives, and lets waiting runs be due at once."""
    drive_all()
    while SagaRun.objects.filter(finished_at=None).update(next_run_at="2020-01-01T00:00:00Z"):
        drive_all()


def found(run) -> dict:
    return {one.order_id: f"{one.kind} {one.action}".strip() for one in run.findings}


def test_an_order_stands_where_its_sagas_left_it(trade):
    kept, undone = trade.place().order_id, trade.place().order_id
    drive_all()
    cancel(undone)
    drive_to_the_end()
    parked, waiting = trade.place().order_id, trade.place().order_id
    SagaRun.objects.filter(business_key=str(parked)).update(status="failed")
    missing = open_payment()
    orders = [kept, undone, parked, waiting, missing]
    assert list(OurOrders().standings(orders).values()) == [
        Standing.KEPT,
        Standing.UNDONE,
        Standing.PARKED,
        Standing.LIVE,
        Standing.MISSING,
    ]
    assert OurOrders().dead(orders) == {undone, missing}


def test_money_held_for_an_undone_order_goes_back_and_its_axis_follows(trade, gateway):
    order_id = trade.place().order_id
    cancel(order_id)
    drive_to_the_end()
    assert axes(order_id) == ("cancelled", "not_paid", "not_fulfilled")
    client.gateway().authorize(reference(order_id), TOTAL, "tok_approve", "after its fence")
    assert found(reconcile_money()) == {order_id: "orphan_authorization void"}
    assert axes(order_id) == ("cancelled", "voided", "not_fulfilled")
    assert reconcile_money().findings == ()
    assert violations() == {}


def test_a_cancellation_under_way_is_left_to_its_saga(trade, gateway):
    order_id = trade.place().order_id
    drive_all()
    cancel(order_id)
    client.gateway().refund(reference(order_id), TOTAL, "by hand")
    assert reconcile_money().findings == ()


def test_a_shop_at_rest_has_nothing_to_reconcile(trade, gateway):
    for card in ("tok_approve", "tok_decline", "tok_capture_decline", "tok_drop_after"):
        trade.place(card=card)
    undone = trade.place().order_id
    drive_all()
    cancel(undone)
    drive_to_the_end()
    run = reconcile_money()
    assert (run.findings, run.opened, run.records) == ((), 0, 5)


def test_the_job_runs_and_the_command_tells(trade, gateway):
    order_id = trade.place().order_id
    drive_all()
    there = client.gateway()
    there.refund(reference(order_id), Money("1.00", "GBP"), "by hand")
    told = io.StringIO()
    call_command("reconcile_money", "--dry-run", stdout=told)
    assert "unknown_refund" in told.getvalue()
    assert MoneyDiscrepancy.objects.count() == 0
    result = scheduling.run_here("reconcile-money")
    assert (result.outcome, result.counts["for_a_person"]) == ("succeeded", 1)
    call_command("reconcile_money", stdout=told)
    assert "0 new for a person" in told.getvalue()
    gateway.kill()
    with pytest.raises(CommandError, match="gateway does not answer"):
        call_command("reconcile_money", stdout=told)
