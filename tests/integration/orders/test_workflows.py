"""Orders through their sagas, with a real gateway process; the engine runs in this one."""

from dataclasses import replace

import pytest
from django.db import connections

from apps.common.errors import InvalidTransition, VersionConflict
from apps.messaging.models import Outbox
from apps.orders import facade
from apps.orders.contracts import CancelOrder, DeliverOrder, ShipOrder
from apps.orders.errors import CheckoutParked, OrderNotFound
from apps.sagas.engine.driver import drive_batch
from apps.sagas.models import SagaRun
from tests.trade import Trade, axes, drive_all, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
CONFIRMED = ("confirmed", "captured", "scheduled")


@pytest.fixture
def trade(gateway):
    return Trade()


def drive_through_waits() -> None:
    """Drives, and lets waiting runs be due at once."""
    for _ in range(200):
        drive_all()
        if not SagaRun.objects.exclude(status__in=["completed", "compensated", "failed"]).update(
            next_run_at="2020-01-01T00:00:00Z"
        ):
            return
    pytest.fail("the sagas do not end")


def cancel(order_id, **values) -> CancelOrder:
    words = {"principal": "customer:x", "key": "cancel", "reason": "changed_mind"} | values
    return CancelOrder(order_id=order_id, **words)


def topics() -> list[str]:
    """What was told of orders."""
    events = Outbox.objects.using("orders").filter(topic__startswith="order.").order_by("id")
    return list(events.values_list("topic", flat=True))


def test_a_paid_order_in_stock_is_confirmed(trade):
    placed = trade.place(MUG=2)
    drive_all()
    assert axes(placed.order_id) == CONFIRMED
    assert trade.levels()["MUG"] == (100, 2)
    assert topics() == ["order.placed", "order.confirmed"]
    assert violations() == {}


@pytest.mark.parametrize(
    ("card", "reason"),
    [("tok_decline", "card_declined"), ("tok_insufficient_funds", "insufficient_funds")],
)
def test_a_declined_order_is_cancelled_and_touches_no_stock(trade, card, reason):
    placed = trade.place(card=card)
    drive_all()
    assert axes(placed.order_id) == ("cancelled", "declined", "not_fulfilled")
    assert facade.get_order(placed.order_id).cancel_reason == reason
    assert trade.levels()["MUG"] == (100, 0)
    assert violations() == {}


def test_an_order_above_the_cards_limit_ends_compensated(trade):
    trade.receive(2000)
    placed = trade.place(MUG=1053)  # 10,003.50; the card's limit is 10,000.00
    drive_all()
    assert axes(placed.order_id) == ("cancelled", "declined", "not_fulfilled")
    assert facade.get_saga(placed.saga_id).status == "compensated"
    assert facade.get_order(placed.order_id).cancel_reason == "limit_exceeded"


def test_the_second_buyer_of_the_last_item_is_not_charged(gateway):
    # vendure #3065
    trade = Trade(stock=1)
    first, second = trade.place(MUG=1), trade.place(MUG=1)
    drive_all()
    assert axes(first.order_id) == CONFIRMED
    assert axes(second.order_id) == ("cancelled", "voided", "not_fulfilled")
    assert facade.get_order(second.order_id).cancel_reason == "out_of_stock"
    assert sorted(one["status"] for one in gateway.payments()) == ["captured", "voided"]
    assert violations() == {}


def test_one_orders_shortage_does_not_touch_its_neighbours(trade):
    good = [trade.place(MUG=10) for _ in range(5)]
    short = trade.place(MUG=10, CUP=101)
    drive_all()
    assert {axes(one.order_id) for one in good} == {CONFIRMED}
    assert axes(short.order_id) == ("cancelled", "voided", "not_fulfilled")
    assert trade.levels() == {"MUG": (100, 50), "CUP": (100, 0)}


@pytest.mark.parametrize("card", ["tok_timeout_after", "tok_timeout_before", "tok_error_500_after"])
def test_an_unknown_payment_is_settled_with_the_same_key_and_charged_once(trade, gateway, card):
    # medusa #16292: a retry with a new key moves money twice
    placed = trade.place(card=card)
    drive_through_waits()
    assert axes(placed.order_id) == CONFIRMED
    [payment] = gateway.payments()
    assert (payment["status"], payment["captured"]["amount"]) == ("captured", "9.50")
    assert violations() == {}


def test_a_capture_that_is_declined_undoes_everything(trade, gateway):
    placed = trade.place(card="tok_capture_decline")
    drive_all()
    assert axes(placed.order_id) == ("cancelled", "voided", "cancelled")
    assert trade.levels()["MUG"] == (100, 0)
    assert violations() == {}


def give_up_waiting() -> None:
    """Lets the present step of every live run have begun long ago."""
    SagaRun.objects.update(step_since="2020-01-01T00:00:00Z", next_run_at="2020-01-01T00:00:00Z")


def test_a_payment_that_stays_unknown_is_settled_before_it_is_undone(trade, gateway):
    placed = trade.place(card="tok_timeout_after")
    drive_batch()  # authorized at the gateway, the answer lost; no second try yet
    gateway.kill()
    give_up_waiting()
    drive_all()
    assert facade.get_saga(placed.saga_id).status == "compensating"
    assert axes(placed.order_id)[0] == "pending"  # not before the money is known to be back
    gateway.start()
    drive_through_waits()
    assert axes(placed.order_id) == ("cancelled", "voided", "not_fulfilled")
    [payment] = gateway.payments()
    assert payment["status"] == "voided"
    assert violations() == {}


def test_an_order_whose_gateway_stays_away_is_given_up_and_costs_nothing(trade, gateway):
    gateway.kill()
    placed = trade.place()
    drive_all()
    give_up_waiting()
    drive_all()
    assert facade.get_saga(placed.saga_id).status == "compensating"
    gateway.start()
    drive_through_waits()
    assert axes(placed.order_id)[0] == "cancelled"
    assert [one["status"] for one in gateway.payments()] in ([], ["voided"])
    assert violations() == {}


def test_a_capture_that_stays_unknown_is_never_reversed_but_wants_a_person(trade, gateway):
    placed = trade.place(card="tok_capture_timeout_after")
    drive_batch()  # as far as the capture, whose answer does not come
    gateway.kill()
    give_up_waiting()
    SagaRun.objects.update(attempt=1000)
    drive_all()
    run = facade.get_saga(placed.saga_id)
    assert (run.status, run.step) == ("failed", "capture_payment")
    assert axes(placed.order_id) == ("pending", "authorized", "scheduled")


def test_the_gateway_may_be_away_for_a_while(trade, gateway):
    gateway.kill()
    placed = trade.place()
    drive_all()
    assert axes(placed.order_id)[0] == "pending"
    gateway.start()
    drive_through_waits()
    assert axes(placed.order_id) == CONFIRMED


def test_a_confirmed_order_can_be_cancelled(trade, gateway):
    placed = trade.place(MUG=2)
    drive_all()
    accepted = facade.cancel_order(cancel(placed.order_id))
    assert accepted.status == "confirmed"
    drive_all()
    assert facade.get_saga(accepted.saga_id).status == "completed"
    assert axes(placed.order_id) == ("cancelled", "refunded", "cancelled")
    assert facade.get_order(placed.order_id).cancel_reason == "changed_mind"
    assert trade.levels()["MUG"] == (100, 0)
    [payment] = gateway.payments()
    assert payment["refunded"]["amount"] == "19.00"
    assert topics()[-1] == "order.cancelled"
    assert violations() == {}


def test_a_pending_order_can_be_cancelled_before_anything_happened(trade, gateway):
    placed = trade.place()
    facade.cancel_order(cancel(placed.order_id))
    drive_through_waits()
    assert axes(placed.order_id)[0] == "cancelled"
    assert gateway.payments() == []
    assert trade.levels()["MUG"] == (100, 0)
    assert violations() == {}


def test_a_cancellation_waits_for_a_checkout_past_its_pivot(trade, gateway):
    gateway.kill()
    placed = trade.place()
    drive_batch()
    facade.cancel_order(cancel(placed.order_id))
    gateway.start()
    drive_through_waits()
    assert axes(placed.order_id)[0] == "cancelled"
    assert all(one["status"] in ("voided", "refunded") for one in gateway.payments())
    assert violations() == {}


def test_a_cancellation_is_carried_out_however_long_the_workers_were_away(trade):
    placed = trade.place()
    drive_all()
    facade.cancel_order(cancel(placed.order_id))
    SagaRun.objects.filter(deadline_at__isnull=False).update(deadline_at="2020-01-01T00:00:00Z")
    drive_all()
    assert axes(placed.order_id) == ("cancelled", "refunded", "cancelled")


def test_an_order_whose_checkout_wants_a_person_is_not_cancelled_behind_his_back(trade):
    placed = trade.place()
    SagaRun.objects.update(status="failed")
    with pytest.raises(CheckoutParked):
        facade.cancel_order(cancel(placed.order_id))
    assert SagaRun.objects.count() == 1


def test_cancelling_twice_is_one_cancellation(trade):
    placed = trade.place()
    drive_all()
    first = facade.cancel_order(cancel(placed.order_id, key="a"))
    second = facade.cancel_order(cancel(placed.order_id, key="b"))
    assert first.saga_id == second.saga_id
    drive_all()
    again = facade.cancel_order(cancel(placed.order_id, key="c"))
    assert (again.status, again.saga_id) == ("cancelled", None)


def test_shipping_sells_the_stock_and_delivering_ends_the_order(trade):
    placed = trade.place(MUG=2)
    drive_all()
    shipped = facade.ship_order(ShipOrder(placed.order_id))
    assert axes(placed.order_id) == ("shipped", "captured", "shipped")
    drive_all()
    assert trade.levels()["MUG"] == (98, 0)
    assert facade.get_saga(shipped.saga_id).status == "completed"
    delivered = facade.deliver_order(DeliverOrder(placed.order_id, shipped.version))
    assert delivered.version == shipped.version + 1
    assert axes(placed.order_id) == ("delivered", "captured", "delivered")
    assert topics()[-2:] == ["order.shipped", "order.delivered"]
    assert violations() == {}


def test_every_event_of_an_order_names_the_request_that_caused_it(trade):
    command = replace(trade.command(), correlation_id="order-7")
    placed = facade.place_order(command)
    drive_all()
    facade.ship_order(ShipOrder(placed.order_id, correlation_id="ship-7"))
    facade.deliver_order(DeliverOrder(placed.order_id, correlation_id="deliver-7"))
    declined = facade.place_order(replace(trade.command(card="tok_decline"), correlation_id="no-7"))
    drive_all()
    events = Outbox.objects.using("orders").filter(topic__startswith="order.").order_by("id")
    assert [(one.topic, one.headers.get("correlation_id")) for one in events] == [
        ("order.placed", "order-7"),
        ("order.confirmed", "order-7"),
        ("order.shipped", "ship-7"),
        ("order.delivered", "deliver-7"),
        ("order.placed", "no-7"),
        ("order.cancelled", "no-7"),
    ]
    versions = [one.aggregate_version for one in events if str(declined.order_id) in one.aggregate]
    assert versions == sorted(set(versions))


def test_the_same_state_again_is_a_success(trade):
    placed = trade.place()
    drive_all()
    first = facade.ship_order(ShipOrder(placed.order_id))
    again = facade.ship_order(ShipOrder(placed.order_id))
    assert (again.version, again.saga_id) == (first.version, None)


def test_a_jump_names_what_is_allowed(trade):
    placed = trade.place()
    with pytest.raises(InvalidTransition) as caught:
        facade.ship_order(ShipOrder(placed.order_id))
    assert caught.value.extra["allowed"] == ["confirmed", "cancelled"]
    drive_all()
    with pytest.raises(InvalidTransition):
        facade.deliver_order(DeliverOrder(placed.order_id))
    facade.ship_order(ShipOrder(placed.order_id))
    with pytest.raises(InvalidTransition) as caught:
        facade.cancel_order(cancel(placed.order_id))
    assert caught.value.extra["allowed"] == ["delivered"]
    drive_all()
    assert axes(placed.order_id)[0] == "shipped"


def test_a_stale_version_changes_nothing(trade):
    placed = trade.place()
    drive_all()
    with pytest.raises(VersionConflict) as caught:
        facade.ship_order(ShipOrder(placed.order_id, placed.version))
    assert caught.value.extra["version"] == facade.get_order(placed.order_id).version
    with pytest.raises(VersionConflict):
        facade.cancel_order(cancel(placed.order_id, version=placed.version))
    drive_all()
    assert axes(placed.order_id) == CONFIRMED


def test_another_customers_order_cannot_be_cancelled_nor_its_checkout_aborted(trade):
    placed = trade.place()
    other = Trade(email="bob@example.org").customer_id
    with pytest.raises(OrderNotFound):
        facade.cancel_order(cancel(placed.order_id, customer_id=other))
    drive_all()
    assert axes(placed.order_id) == CONFIRMED


def test_a_shipped_parcel_wins_over_a_cancellation_that_comes_late(trade):
    placed = trade.place()
    drive_all()
    accepted = facade.cancel_order(cancel(placed.order_id))
    facade.ship_order(ShipOrder(placed.order_id))
    drive_all()
    assert axes(placed.order_id)[0] == "shipped"
    run = facade.get_saga(accepted.saga_id)
    assert (run.status, run.error_code) == ("compensated", "already_dispatched")
    assert violations() == {}


def test_the_customers_database_may_be_away_while_sagas_run(trade):
    placed = trade.place()
    default = connections["default"]
    default.close()
    host, default.settings_dict["HOST"] = default.settings_dict["HOST"], "/nowhere"
    try:
        drive_all()
    finally:
        default.settings_dict["HOST"] = host
    assert axes(placed.order_id) == CONFIRMED
