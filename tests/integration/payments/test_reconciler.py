"""The gateway's own records against our ledger, with a real gateway: what is found, what is mended,
and that nothing is done twice."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connections
from moneyed import Money

from apps.common.ids import new_id
from apps.payments import client, facade
from apps.payments.contracts import MoneyState, Operation, Standing
from apps.payments.models import MoneyDiscrepancy, Payment, ReconcilerRun
from apps.payments.reconciling import mending, walking
from tests.integration.payments.money import (
    book,
    give_back,
    open_on_account,
    open_payment,
    operate,
    prepare,
    prepare_refunds,
    refund,
    settled_alone,
)

pytestmark = pytest.mark.django_db(databases=["orders"], transaction=True)
AUTHORIZE, CAPTURE, REVERSE = Operation.AUTHORIZE, Operation.CAPTURE, Operation.REVERSE
ONE = Money("12.34", "GBP")


class Orders:
    """Orders as the reconciler sees them, each standing where the test says."""

    def __init__(self):
        self.standing: dict[UUID, Standing] = {}
        self.told: dict[UUID, MoneyState] = {}

    def standings(self, order_ids):
        return {one: self.standing.get(one, Standing.KEPT) for one in order_ids}

    def dead(self, order_ids):
        undone = (Standing.UNDONE, Standing.MISSING)
        return {one for one, standing in self.standings(order_ids).items() if standing in undone}

    def moved(self, states):
        self.told |= states


@pytest.fixture
def orders():
    return Orders()


@pytest.fixture(autouse=True)
def _at_once(settings):
    settings.RECONCILE_AFTER_SECONDS = 0


def run(orders, **options) -> list[str]:
    """What it found, as ``kind action done``."""
    found = facade.reconcile(orders, **options).findings
    return sorted(f"{one.kind} {one.action} {'done' if one.done else ''}".strip() for one in found)


def rows() -> list[str]:
    return [f"{one.kind} {one.state}" for one in MoneyDiscrepancy.objects.order_by("kind", "id")]


def reference(order_id) -> UUID:
    return Payment.objects.get(order_id=order_id).pk


def authorized(card="tok_approve"):
    order_id = open_payment(card)
    operate(AUTHORIZE, order_id)
    return order_id


def captured(card="tok_approve"):
    order_id = authorized(card)
    operate(CAPTURE, order_id)
    return order_id


def at_gateway(gateway, order_id) -> str:
    [one] = [one for one in gateway.payments() if one["reference"] == str(reference(order_id))]
    return f"{one['status']} {one['captured']['amount']} {one['refunded']['amount']}"


def nothing_left(orders):
    """A second run finds nothing to do and changes nothing."""
    before = MoneyDiscrepancy.objects.count(), rows()
    again = facade.reconcile(orders)
    assert (again.mended, again.opened, again.cleared) == (0, 0, 0)
    assert (MoneyDiscrepancy.objects.count(), rows()) == before


def test_books_that_agree_are_left_alone(gateway, orders):
    kept, undone, part = captured(), captured(), captured()
    operate(REVERSE, undone)
    give_back(refund(part, new_id(), "1.00"))
    orders.standing[undone] = Standing.UNDONE
    [account] = open_on_account()
    operate(AUTHORIZE, account)
    result = facade.reconcile(orders)
    assert (result.findings, result.records, result.payments) == ((), 3, 4)
    assert rows() == []
    assert facade.money_states([kept]) == {kept: MoneyState.CAPTURED}


# --- mended by itself --------------------------------------------------------------------------
@pytest.mark.parametrize("standing", [Standing.UNDONE, Standing.MISSING])
def test_what_is_held_for_a_dead_order_is_voided(gateway, orders, standing):
    order_id = authorized()
    orders.standing[order_id] = standing
    assert run(orders, dry_run=True) == ["orphan_authorization void"]
    assert rows() == []
    assert run(orders) == ["orphan_authorization void done"]
    assert at_gateway(gateway, order_id) == "voided 0.00 0.00"
    assert book(order_id)[2:] == ["void requested", "void succeeded"]
    assert rows() == ["orphan_authorization mended"]
    assert orders.told == {order_id: MoneyState.VOIDED}
    nothing_left(orders)
    assert facade.audit(settled_alone) == []


def test_an_authorization_that_came_after_its_fence_is_voided(gateway, orders):
    order_id = open_payment()
    operate(REVERSE, order_id)  # fenced off
    client.gateway().authorize(reference(order_id), ONE, "tok_approve", "late")
    orders.standing[order_id] = Standing.UNDONE
    assert run(orders) == ["orphan_authorization void done"]
    assert at_gateway(gateway, order_id) == "voided 0.00 0.00"
    nothing_left(orders)
    assert facade.audit(settled_alone) == []


def test_what_was_taken_for_a_cancelled_order_is_given_back(gateway, orders):
    known, in_part, unknown = captured(), captured(), authorized()
    client.gateway().capture(reference(unknown), ONE, "without us")
    believed_failed = authorized("tok_capture_decline")
    operate(CAPTURE, believed_failed)
    gateway.kill()
    tamper(gateway, believed_failed, status="captured", captured=1234, captures=1)
    gateway.start()
    give_back(refund(in_part, new_id(), "2.34"))
    dead = [known, unknown, believed_failed, in_part]
    orders.standing |= dict.fromkeys(dead, Standing.UNDONE)
    assert run(orders) == ["dead_capture refund done"] * 4
    for order_id in dead:
        assert at_gateway(gateway, order_id) == "refunded 12.34 12.34"
    assert book(believed_failed)[-3:] == [
        "capture succeeded found",
        "refund requested",
        "refund succeeded",
    ]
    assert {one.net.amount for one in facade.net_amounts(dead).values()} == {0}
    nothing_left(orders)
    assert facade.audit(settled_alone) == []


def tamper(gateway, order_id, **values) -> None:
    """Writes into the record of a gateway that is down."""
    columns = ", ".join(f"{name} = ?" for name in values)
    with sqlite3.connect(gateway.data / "gateway.sqlite3") as db:
        key = str(reference(order_id))
        db.execute(f"UPDATE payment SET {columns} WHERE reference = ?", [*values.values(), key])
    db.close()


def test_answers_that_our_ledger_lacks_are_entered(gateway, orders):
    taken, refused = open_payment(), open_payment("tok_decline")
    given_back, in_part, voided = captured(), captured(), authorized()
    prepare(AUTHORIZE, taken, refused)
    facade.perform(AUTHORIZE, [taken, refused])  # and nobody wrote the answers down
    prepare(REVERSE, given_back, voided)
    facade.perform(REVERSE, [given_back, voided])
    part = refund(in_part, new_id(), "2.34")
    prepare_refunds(part)
    facade.perform_refunds([part])
    orders.standing |= dict.fromkeys([taken, refused], Standing.PARKED)
    orders.standing |= dict.fromkeys([given_back, voided], Standing.UNDONE)
    assert run(orders) == ["unrecorded_answer answer done"] * 5
    assert orders.told == {
        taken: MoneyState.AUTHORIZED,
        refused: MoneyState.DECLINED,
        given_back: MoneyState.REFUNDED,
        voided: MoneyState.VOIDED,
        in_part: MoneyState.PARTIALLY_REFUNDED,
    }
    assert book(taken) == ["authorization requested", "authorization succeeded found"]
    assert book(refused)[-1] == "authorization failed card_declined"
    nothing_left(orders)
    assert facade.audit(settled_alone) == []


def test_a_missing_answer_is_entered_before_what_it_means_is_mended(gateway, orders):
    order_id = authorized()
    prepare(CAPTURE, order_id)
    facade.perform(CAPTURE, [order_id])
    orders.standing[order_id] = Standing.UNDONE
    assert run(orders) == ["dead_capture refund done", "unrecorded_answer answer done"]
    assert at_gateway(gateway, order_id) == "refunded 12.34 12.34"
    nothing_left(orders)


# --- for a person ------------------------------------------------------------------------------
def test_what_no_rule_makes_safe_waits_for_a_person(gateway, orders):
    there, stranger = client.gateway(), new_id()
    there.authorize(stranger, ONE, "tok_approve", "a")
    there.authorize(stranger_kept := new_id(), ONE, "tok_approve", "b")
    there.capture(stranger_kept, ONE, "c")
    by_hand, untaken, voided, twice = captured(), authorized(), authorized(), captured()
    there.refund(reference(by_hand), Money("2.00", "GBP"), "by hand")
    there.capture(reference(untaken), ONE, "by hand as well")
    there.void(reference(voided), "by hand too")
    [account] = open_on_account()
    there.authorize(reference(account), ONE, "tok_approve", "on account")
    silent = open_payment()
    prepare(AUTHORIZE, silent)  # and the gateway never heard of it
    gateway.kill()
    tamper(gateway, twice, captures=2)
    gateway.start()
    kinds = [
        "captured_twice",
        "on_account_at_gateway",
        "states_differ",
        "unknown_authorization",
        "unknown_capture",
        "unknown_capture",
        "unknown_refund",
        "unsettled",
    ]
    before = gateway.payments()
    assert run(orders, dry_run=True) == kinds
    assert rows() == []
    assert run(orders) == kinds
    assert rows() == [f"{kind} open" for kind in kinds]
    assert gateway.payments() == before
    assert orders.told == {}
    strangers = MoneyDiscrepancy.objects.filter(order_id=None)
    assert {one.reference for one in strangers} == {str(stranger), str(stranger_kept)}
    nothing_left(orders)


def test_a_refund_whose_one_key_is_used_up_waits_for_a_person(gateway, orders):
    order_id = captured()
    client.gateway().refund(reference(order_id), Money("5.00", "GBP"), "by hand")
    operate(REVERSE, order_id)  # refused for good: less is left
    orders.standing[order_id] = Standing.UNDONE
    before = gateway.payments()
    assert run(orders) == ["dead_capture"]
    assert gateway.payments() == before
    nothing_left(orders)


def test_what_is_put_right_elsewhere_is_cleared_and_comes_back_when_it_does(gateway, orders):
    order_id = authorized()
    there = client.gateway()
    there.capture(reference(order_id), ONE, "by hand")
    run(orders)
    assert rows() == ["unknown_capture open"]
    operate(CAPTURE, order_id)  # now our ledger knows
    result = facade.reconcile(orders)
    assert (result.findings, result.cleared) == ((), 1)
    assert rows() == ["unknown_capture resolved"]


def test_what_a_person_resolved_stays_so_until_the_facts_change(gateway, orders):
    order_id = captured()
    there = client.gateway()
    there.refund(reference(order_id), Money("2.00", "GBP"), "by hand")
    run(orders)
    facade.resolve_discrepancy(MoneyDiscrepancy.objects.get().pk, "A gesture of ours")
    assert run(orders) == ["unknown_refund"]
    assert rows() == ["unknown_refund resolved"]
    there.refund(reference(order_id), Money("1.00", "GBP"), "by hand again")
    run(orders)
    assert rows() == ["unknown_refund resolved", "unknown_refund open"]


# --- a shop at work ----------------------------------------------------------------------------
def test_hands_off_what_a_saga_works_on(gateway, orders):
    order_id = authorized()
    client.gateway().capture(reference(order_id), ONE, "under way")
    orders.standing[order_id] = Standing.LIVE
    assert run(orders) == []
    assert rows() == []


def test_hands_off_what_has_just_moved(gateway, orders, settings):
    settings.RECONCILE_AFTER_SECONDS = 3600
    order_id = authorized()
    orders.standing[order_id] = Standing.UNDONE
    client.gateway().authorize(new_id(), ONE, "tok_approve", "not ours")
    assert run(orders) == []
    assert rows() == []


def test_a_verdict_that_is_not_true_any_more_is_not_carried_out(gateway, orders, monkeypatch):
    order_id = authorized()
    orders.standing[order_id] = Standing.UNDONE

    def meanwhile(*args):
        operate(REVERSE, order_id)  # its own saga was quicker
        return mend(*args)

    mend = mending.mend
    monkeypatch.setattr(mending, "mend", meanwhile)
    assert run(orders) == []
    assert book(order_id)[2:] == ["void requested", "void succeeded"]
    nothing_left(orders)


def test_a_saga_that_begins_after_the_verdict_is_left_alone(gateway, orders, monkeypatch):
    order_id = authorized()
    orders.standing[order_id] = Standing.UNDONE

    def meanwhile(*args):
        orders.standing[order_id] = Standing.LIVE
        return mend(*args)

    mend = mending.mend
    monkeypatch.setattr(mending, "mend", meanwhile)
    assert run(orders) == []
    assert book(order_id)[2:] == []
    assert at_gateway(gateway, order_id) == "authorized 0.00 0.00"


def test_two_runs_at_the_same_moment_do_nothing_twice(gateway, orders):
    held, kept = [authorized() for _ in range(3)], [captured() for _ in range(3)]
    client.gateway().authorize(new_id(), ONE, "tok_approve", "not ours")
    orders.standing |= dict.fromkeys([*held, *kept], Standing.UNDONE)
    together = threading.Barrier(2)

    def reconcile(_):
        try:
            together.wait(10)
            return facade.reconcile(orders)
        finally:
            connections["orders"].close()

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(reconcile, range(2)))
    assert sum(one.mended for one in both) == 6
    assert sum(one.opened for one in both) == 1
    # Whoever looks at the gateway before the other has written its answer down has found it.
    for order_id in held:
        requested, answered = book(order_id)[2:]
        assert (requested, answered.removesuffix(" found")) == ("void requested", "void succeeded")
        assert at_gateway(gateway, order_id) == "voided 0.00 0.00"
    for order_id in kept:
        requested, answered = book(order_id)[4:]
        assert requested == "refund requested"
        assert answered.removesuffix(" found") == "refund succeeded"
        assert at_gateway(gateway, order_id) == "refunded 12.34 12.34"
    nothing_left(orders)


def test_a_reply_that_is_lost_is_found_by_the_next_run(gateway, orders):
    order_id = authorized("tok_void_timeout_after")
    orders.standing[order_id] = Standing.UNDONE
    assert run(orders) == []
    assert at_gateway(gateway, order_id) == "voided 0.00 0.00"
    assert run(orders) == ["unrecorded_answer answer done"]
    nothing_left(orders)


def test_a_run_goes_on_where_the_last_one_ended(gateway, orders, monkeypatch):
    monkeypatch.setattr(client, "PAGE", 2)
    monkeypatch.setattr(walking, "SWEEP_PAGES", 1)
    order_ids = [captured() for _ in range(5)]
    first = facade.reconcile(orders)
    assert first.records == 5 + 2  # everything new, and one page of what is old
    assert ReconcilerRun.objects.get().marks["front"] == 4
    client.gateway().refund(reference(order_ids[2]), Money("1.00", "GBP"), "by hand")
    second = facade.reconcile(orders)
    assert second.records == 1 + 2
    assert [one.order_id for one in second.findings] == [order_ids[2]]
    assert ReconcilerRun.objects.count() == 2


def test_many_payments_of_another_shop_do_not_hold_it_up(gateway, orders, monkeypatch):
    monkeypatch.setattr(client, "PAGE", 2)
    monkeypatch.setattr(walking, "MOST_SUSPECTS", 1)
    there = client.gateway()
    for number in range(5):
        there.authorize(new_id(), ONE, "tok_approve", f"theirs {number}")
    order_id = captured()
    there.refund(reference(order_id), Money("1.00", "GBP"), "by hand")
    monkeypatch.setattr(walking.Run, "_look_again", lambda run: None)
    opened = [facade.reconcile(orders).opened for _ in range(5)]
    assert sum(opened) == 6
    assert opened[-1] == 0
    assert ReconcilerRun.objects.latest("id").marks["front"] == 4


def test_without_a_gateway_it_says_so_and_keeps_no_run(gateway, orders):
    gateway.kill()
    with pytest.raises(facade.Unavailable, match="gateway does not answer"):
        facade.reconcile(orders)
    assert ReconcilerRun.objects.count() == 0
