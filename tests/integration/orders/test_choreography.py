"""Checkouts carried on by events alone, with a real gateway process: the events are carried in
this process, in order or badly."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from apps.common.databases import execute, fetch_all
from apps.messaging.models import Outbox
from apps.orders import facade
from apps.orders.contracts import ApproveOrder, CancelOrder, ShipOrder
from apps.sagas.engine import choreography
from apps.sagas.engine.driver import drive_batch
from apps.sagas.errors import NotRepairable
from apps.sagas.facade import compensate_run, retry_run
from apps.sagas.models import SagaRun
from apps.shipping import facade as shipping
from tests.pump import carry, settle, settle_badly, take_out
from tests.trade import Trade, axes, drive_all, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
CONFIRMED = ("confirmed", "captured", "scheduled")
FORWARD = [
    "order.placed",
    "payment.authorized",
    "stock.reserved",
    "shipment.scheduled",
    "payment.captured",
    "order.confirmed",
]


@pytest.fixture
def trade(gateway, settings):
    settings.CHECKOUT_COORDINATION = "choreographed"
    return Trade()


def settle_through_waits() -> None:
    """Settles, and lets runs that wait for another attempt be due at once."""
    for _ in range(100):
        settle()
        if not execute(
            "orders",
            "UPDATE sagas_sagarun SET next_run_at = '2020-01-01' WHERE style = 'orchestrated'"
            " AND status NOT IN ('completed', 'compensated', 'failed')",
        ):
            return
    pytest.fail("the sagas do not end")


def be_late() -> None:
    """Lets the deadline of every checkout be over."""
    execute(
        "orders",
        "UPDATE sagas_sagarun SET deadline_at = '2020-01-01', next_run_at = '2020-01-01'"
        " WHERE kind = 'checkout'",
    )


def told() -> list[str]:
    """The topics of all events of the checkout, in the order of their time."""
    rows = [
        row
        for alias in ("orders", "catalog")
        for row in Outbox.objects.using(alias).values_list("created_at", "topic", "headers")
    ]
    return [topic for _, topic, headers in sorted(rows) if headers.get("coordination")]


def cancel(order_id) -> CancelOrder:
    return CancelOrder("customer:x", "cancel", order_id, "changed_mind")


def test_an_order_is_confirmed_by_nothing_but_events(trade):
    placed = facade.place_order(replace(trade.command(MUG=2), correlation_id="order-7"))
    assert drive_batch() == 0  # no engine has anything to do for it
    settle()
    assert axes(placed.order_id) == CONFIRMED
    assert trade.levels()["MUG"] == (100, 2)
    assert told() == FORWARD
    headers = Outbox.objects.using("orders").values_list("headers__correlation_id", flat=True)
    assert set(headers) == {"order-7"}
    assert violations() == {}


def test_how_far_it_is_shows_as_for_an_engine(trade):
    placed = trade.place()
    carry(take_out())
    assert facade.get_saga(placed.saga_id).status == "pending"
    drive_batch()
    carry(take_out())
    run = facade.get_saga(placed.saga_id)
    assert (run.status, run.step) == ("in_progress", "reserve_stock")
    settle()
    run = facade.get_saga(placed.saga_id)
    assert run.status == "completed"
    assert [(one.name, one.status) for one in run.steps] == [
        (name, "completed")
        for name in (
            "create_order",
            "authorize_payment",
            "reserve_stock",
            "schedule_shipment",
            "capture_payment",
            "confirm_order",
        )
    ]


@pytest.mark.parametrize(
    ("card", "pieces", "ends", "reason"),
    [
        ("tok_decline", 1, ("cancelled", "declined", "not_fulfilled"), "card_declined"),
        ("tok_approve", 101, ("cancelled", "voided", "not_fulfilled"), "out_of_stock"),
        ("tok_capture_decline", 1, ("cancelled", "voided", "cancelled"), "capture_declined"),
    ],
)
def test_whoever_refuses_all_undo_their_part(trade, gateway, card, pieces, ends, reason):
    placed = trade.place(card=card, MUG=pieces)
    settle()
    assert axes(placed.order_id) == ends
    assert facade.get_order(placed.order_id).cancel_reason == reason
    assert facade.get_saga(placed.saga_id).status == "compensated"
    assert trade.levels()["MUG"] == (100, 0)
    assert {one["status"] for one in gateway.payments()} <= {"voided", "declined"}
    assert Counter(told())["checkout.undone"] == 3
    assert violations() == {}


def test_a_country_we_do_not_ship_to_is_refused_before_the_money_is_taken(trade, gateway, settings):
    settings.SHIPPING_COUNTRIES = ["FR"]
    placed = trade.place()
    settle()
    assert axes(placed.order_id)[:2] == ("cancelled", "voided")
    assert facade.get_order(placed.order_id).cancel_reason == "country_not_served"
    assert violations() == {}


@pytest.mark.parametrize("card", ["tok_timeout_after", "tok_capture_timeout_after"])
def test_an_unknown_payment_is_settled_with_the_same_key_and_charged_once(trade, gateway, card):
    placed = trade.place(card=card)
    settle_through_waits()
    assert axes(placed.order_id) == CONFIRMED
    [payment] = gateway.payments()
    assert (payment["status"], payment["captured"]["amount"]) == ("captured", "9.50")
    assert violations() == {}


def test_an_order_that_is_late_is_given_up_once_its_unknown_money_is_back(trade, gateway):
    placed = trade.place(card="tok_timeout_after")
    carry(take_out())
    drive_batch()  # authorized at the gateway, the answer lost
    gateway.kill()
    be_late()
    settle()
    assert facade.get_saga(placed.saga_id).status == "compensating"
    assert axes(placed.order_id)[0] == "pending"  # not before the money is known to be back
    gateway.start()
    settle_through_waits()
    assert axes(placed.order_id) == ("cancelled", "voided", "not_fulfilled")
    assert facade.get_order(placed.order_id).cancel_reason == "deadline_exceeded"
    assert [one["status"] for one in gateway.payments()] == ["voided"]
    assert Counter(told())["checkout.timed_out"] == 1
    assert violations() == {}


def test_from_the_capture_on_being_late_turns_nothing_back(trade, gateway):
    placed = trade.place(card="tok_capture_timeout_after")
    for _ in range(4):
        carry(take_out())
        drive_batch()
    assert SagaRun.objects.filter(kind="payment_capture").exists()
    be_late()
    SagaRun.objects.filter(kind="checkout").update(abort_requested=True)
    choreography.look_after()
    settle_through_waits()
    assert axes(placed.order_id) == CONFIRMED
    assert violations() == {}


def test_the_capture_of_an_order_that_is_already_late_never_begins(trade, gateway):
    placed = trade.place()
    for _ in range(2):
        carry(take_out())
        drive_batch()
    carry(take_out())  # reserved
    be_late()
    assert drive_batch() == 0  # late or not, it is none of the engine's
    carry(take_out())  # shipment.scheduled meets a checkout that is late
    assert not SagaRun.objects.filter(kind="payment_capture").exists()
    settle()
    assert axes(placed.order_id) == ("cancelled", "voided", "cancelled")
    assert [one["status"] for one in gateway.payments()] == ["voided"]
    assert violations() == {}


def test_a_cancelled_order_gets_neither_stock_nor_parcel_nor_money_late(trade, gateway):
    placed = trade.place()
    carry(take_out())
    drive_batch()
    late = take_out()  # payment.authorized, held back
    facade.cancel_order(cancel(placed.order_id))
    settle_through_waits()
    assert axes(placed.order_id)[0] == "cancelled"
    carry(late)
    settle_through_waits()
    assert axes(placed.order_id)[:2] == ("cancelled", "voided")
    assert trade.levels()["MUG"] == (100, 0)
    assert violations() == {}


def test_goods_reserved_at_the_moment_of_a_cancellation_are_not_shipped(trade, gateway):
    placed = trade.place()
    carry(take_out())
    drive_batch()
    carry(take_out())  # the goods are reserved; nobody has heard of it
    facade.cancel_order(cancel(placed.order_id))
    choreography.look_after()
    carry(take_out())  # both in one batch
    assert shipping.shipments([placed.order_id]) == {}
    settle_through_waits()
    assert axes(placed.order_id) == ("cancelled", "voided", "not_fulfilled")
    assert violations() == {}


def test_a_pending_order_can_be_cancelled_before_anything_happened(trade, gateway):
    placed = trade.place()
    facade.cancel_order(cancel(placed.order_id))
    settle_through_waits()
    assert axes(placed.order_id)[0] == "cancelled"
    assert facade.get_order(placed.order_id).cancel_reason == "changed_mind"
    assert {one["status"] for one in gateway.payments()} <= {"voided"}
    assert violations() == {}


def test_a_confirmed_order_can_be_cancelled_and_another_shipped(trade, gateway):
    placed, sent = trade.place(MUG=2), trade.place()
    settle()
    facade.cancel_order(cancel(placed.order_id))
    facade.ship_order(ShipOrder(sent.order_id))
    settle_through_waits()
    assert axes(placed.order_id) == ("cancelled", "refunded", "cancelled")
    assert axes(sent.order_id) == ("shipped", "captured", "shipped")
    assert trade.levels()["MUG"] == (99, 0)
    assert violations() == {}


def test_an_order_held_for_review_waits_for_a_person(trade, settings):
    settings.REVIEW_ABOVE = 10
    placed = trade.place(MUG=2)
    settle()
    assert axes(placed.order_id) == ("pending", "authorized", "not_fulfilled")
    facade.approve_order(ApproveOrder(placed.order_id))
    settle()
    assert axes(placed.order_id) == CONFIRMED
    assert violations() == {}


def test_an_order_ends_in_the_style_it_began_in(trade, settings):
    choreographed = trade.place()
    settings.CHECKOUT_COORDINATION = "orchestrated"
    orchestrated = trade.place()
    drive_all()
    assert axes(orchestrated.order_id) == CONFIRMED
    assert axes(choreographed.order_id)[0] == "pending"
    carry(take_out())  # none of the orchestrated one's events means anything to the participants
    assert SagaRun.objects.filter(kind__startswith="payment").count() == 1
    settings.CHECKOUT_COORDINATION = "choreographed"
    settle()
    assert axes(choreographed.order_id) == CONFIRMED
    styles = dict(SagaRun.objects.filter(kind="checkout").values_list("business_key", "style"))
    assert styles == {
        str(choreographed.order_id): "choreographed",
        str(orchestrated.order_id): "orchestrated",
    }
    assert violations() == {}


@pytest.mark.parametrize("seed", range(2))
def test_repeated_late_and_overtaking_events_change_nothing(trade, gateway, seed):
    rng = random.Random(seed)
    cards = ["tok_approve"] * 3 + ["tok_decline", "tok_capture_decline"]
    orders = [trade.place(card=rng.choice(cards), MUG=rng.randint(1, 30)) for _ in range(12)]
    facade.cancel_order(cancel(orders[0].order_id))
    settle_badly(rng)
    settle_through_waits()
    runs = dict(SagaRun.objects.filter(kind="checkout").values_list("business_key", "status"))
    assert set(runs.values()) <= {"completed", "compensated"}
    sold = [one for one in orders if axes(one.order_id)[0] == "confirmed"]
    assert len([one for one in gateway.payments() if one["status"] == "captured"]) == len(sold)
    assert violations() == {}


def test_a_parked_movement_of_money_parks_the_checkout_until_it_comes(trade, gateway):
    placed = trade.place()
    facade.cancel_order(cancel(placed.order_id))
    carry(take_out())
    choreography.look_after()
    carry(take_out())
    SagaRun.objects.filter(kind="payment_reversal").update(status="failed")
    SagaRun.objects.filter(kind="checkout").update(next_run_at="2020-01-01T00:00Z")
    choreography.look_after()
    run = facade.get_saga(placed.saga_id)
    assert (run.status, run.error_code) == ("failed", "participant_parked")
    with pytest.raises(NotRepairable, match="by events"):
        retry_run(placed.saga_id, None, "go on")
    reversal = SagaRun.objects.get(kind="payment_reversal")
    retry_run(reversal.pk, None, "the gateway is well again")
    settle_through_waits()
    assert facade.get_saga(placed.saga_id).status == "compensated"
    assert axes(placed.order_id)[0] == "cancelled"
    assert violations() == {}


def test_a_person_may_turn_a_checkout_back_before_its_capture(trade):
    placed = trade.place()
    compensate_run(placed.saga_id, None, "a fraud")
    settle_through_waits()
    assert axes(placed.order_id)[0] == "cancelled"
    assert fetch_all("orders", "SELECT event FROM sagas_sagalogentry WHERE event = 'compensating'")
    done = trade.place()
    settle()
    with pytest.raises(NotRepairable):
        compensate_run(done.saga_id, None, "too late")


def test_an_overseers_bug_puts_off_the_run_that_shows_it_and_touches_no_other(trade, monkeypatch):
    bad, good = trade.place(), trade.place()
    be_late()
    oversee = choreography._overseers["checkout"]

    def stumble(runs):
        oversee(runs)  # what it wrote before it fell is taken back
        if str(bad.order_id) in {run.business_key for run in runs}:
            raise ZeroDivisionError

    monkeypatch.setitem(choreography._overseers, "checkout", stumble)
    assert choreography.look_after() == 2
    late = Outbox.objects.using("orders").filter(topic="checkout.timed_out")
    assert list(late.values_list("aggregate", flat=True)) == [f"order:{good.order_id}"]
    assert choreography.look_after() == 0  # the other waits for a later look
