"""Undoing payments from every state they can be in, with a real gateway process."""

import pytest

from apps.payments import facade
from apps.payments.contracts import MoneyState, Operation
from tests.integration.payments.money import (
    book,
    brief,
    open_payment,
    open_payments,
    operate,
    prepare,
    settled_alone,
)

pytestmark = pytest.mark.django_db(databases=["orders"], transaction=True)
AUTHORIZE, CAPTURE, REVERSE = Operation.AUTHORIZE, Operation.CAPTURE, Operation.REVERSE

# (card, operations before) → the answer to the reversal, and how the gateway holds it then.
REVERSALS = {
    ("tok_approve", ()): ("succeeded not_paid cancelled", None),
    ("tok_approve", (AUTHORIZE,)): ("succeeded voided", "voided"),
    ("tok_approve", (AUTHORIZE, CAPTURE)): ("succeeded refunded", "refunded"),
    ("tok_decline", (AUTHORIZE,)): ("succeeded declined card_declined", "declined"),
    ("tok_capture_decline", (AUTHORIZE, CAPTURE)): ("succeeded voided", "voided"),
    # Not known whether it happened; the gateway is asked until it is.
    ("tok_timeout_before", (AUTHORIZE,)): ("succeeded voided", "voided"),
    ("tok_timeout_after", (AUTHORIZE,)): ("succeeded voided", "voided"),
    ("tok_timeout_late", (AUTHORIZE,)): ("succeeded voided", "voided"),
    ("tok_error_500", (AUTHORIZE,)): ("succeeded voided", "voided"),
    ("tok_error_500_after", (AUTHORIZE,)): ("succeeded voided", "voided"),
    ("tok_capture_timeout_before", (AUTHORIZE, CAPTURE)): ("succeeded voided", "voided"),
    ("tok_capture_timeout_after", (AUTHORIZE, CAPTURE)): ("succeeded refunded", "refunded"),
    ("tok_capture_error_500", (AUTHORIZE, CAPTURE)): ("succeeded voided", "voided"),
}


def test_a_reversal_leaves_no_money_behind_wherever_the_payment_stood(gateway):
    orders = dict(zip(REVERSALS, open_payments([card for card, _ in REVERSALS]), strict=True))
    for number, operation in enumerate((AUTHORIZE, CAPTURE)):
        operate(operation, *(one for (_, before), one in orders.items() if len(before) > number))
    results = operate(REVERSE, *orders.values())

    at_gateway = facade.find_at_gateway(list(orders.values()))
    held = [at_gateway[one].state.value if one in at_gateway else None for one in orders.values()]
    told = zip(map(brief, results), held, strict=True)
    assert dict(zip(orders, told, strict=True)) == REVERSALS
    assert {one.net.amount for one in at_gateway.values()} == {0}
    assert {one.net.amount for one in facade.all_net_amounts()} == {0}
    assert not any(one.open for one in facade.all_net_amounts())
    assert facade.audit(settled_alone) == []

    books = [facade.ledger(one) for one in orders.values()]
    again = operate(REVERSE, *orders.values())
    assert [brief(one) for one in again] == [answer for answer, _ in REVERSALS.values()]
    assert [facade.ledger(one) for one in orders.values()] == books


def test_a_reversal_that_comes_first_fences_the_authorization_off(gateway):
    order_id = open_payment()
    operate(REVERSE, order_id)
    [late] = operate(AUTHORIZE, order_id)
    assert brief(late) == "declined not_paid cancelled"
    assert gateway.payments() == []
    assert book(order_id) == ["authorization failed cancelled"]


def test_nothing_begins_once_a_reversal_is_written_down(gateway):
    order_id = open_payment()
    operate(AUTHORIZE, order_id)
    prepare(REVERSE, order_id)
    for operation in (AUTHORIZE, CAPTURE):
        [late] = operate(operation, order_id)
        assert brief(late) == "declined authorized reversed"
    assert [one["status"] for one in gateway.payments()] == ["authorized"]
    [undone] = operate(REVERSE, order_id)
    assert brief(undone) == "succeeded voided"
    assert book(order_id) == [
        "authorization requested",
        "authorization succeeded",
        "void requested",
        "void succeeded",
    ]


def test_of_a_capture_without_answer_the_ledger_learns_how_it_ended(gateway):
    taken, not_taken = open_payments(["tok_capture_timeout_after", "tok_capture_timeout_before"])
    for operation in (AUTHORIZE, CAPTURE, REVERSE):
        operate(operation, taken, not_taken)
    begun = [
        "authorization requested",
        "authorization succeeded",
        "capture requested",
        "capture unknown timeout",
    ]
    intents = {"void requested", "refund requested"}
    for order_id, ended in (
        (taken, {"capture succeeded", "void failed not_needed", "refund succeeded"}),
        (not_taken, {"capture failed not_captured", "void succeeded", "refund failed not_needed"}),
    ):
        entries = book(order_id)
        assert entries[:4] == begun
        assert set(entries[4:6]) == intents
        assert set(entries[6:]) == ended
        assert len(entries) == 9


@pytest.mark.parametrize(
    ("card", "before", "state"),
    [
        ("tok_void_timeout_after", (AUTHORIZE,), "voided"),
        ("tok_refund_timeout_after", (AUTHORIZE, CAPTURE), "refunded"),
    ],
)
def test_a_reversal_whose_reply_is_lost_is_repeated_and_moves_money_once(
    gateway, card, before, state
):
    order_id = open_payment(card)
    for operation in before:
        operate(operation, order_id)
    [first], [second] = operate(REVERSE, order_id), operate(REVERSE, order_id)
    assert brief(first).startswith("unknown ")
    assert brief(second) == f"succeeded {state}"
    [payment] = gateway.payments()
    assert payment["status"] == state
    assert payment["refunded"] == payment["captured"]


def test_two_sagas_that_reverse_one_payment_move_money_once(gateway):
    order_id = open_payment()
    operate(AUTHORIZE, order_id)
    operate(CAPTURE, order_id)
    prepare(REVERSE, order_id)
    prepare(REVERSE, order_id)
    both = facade.perform(REVERSE, [order_id]) + facade.perform(REVERSE, [order_id])
    assert [brief(one) for one in both] == ["succeeded refunded"] * 2
    [payment] = gateway.payments()
    assert payment["refunded"]["amount"] == "12.34"


def test_what_never_answers_stays_unknown(gateway):
    order_id = open_payment("tok_gone")
    operate(AUTHORIZE, order_id)
    [result] = operate(REVERSE, order_id)
    assert brief(result) == "unknown not_paid timeout"
    assert facade.money_states([order_id]) == {order_id: MoneyState.NOT_PAID}
    assert book(order_id)[-2:] == ["void requested", "void unknown timeout"]


def test_a_request_that_lands_after_its_time_out_is_found_and_undone(gateway):
    order_id = open_payment()
    gateway.freeze()
    [result] = operate(AUTHORIZE, order_id)
    assert brief(result) == "unknown not_paid timeout"
    gateway.thaw()  # the request still lies in its socket
    [undone] = operate(REVERSE, order_id)
    assert brief(undone) == "succeeded voided"
    assert [one["status"] for one in gateway.payments()] == ["voided"]


def test_a_reversal_waits_for_a_gateway_that_is_down(gateway):
    order_id = open_payment()
    operate(AUTHORIZE, order_id)
    gateway.kill()
    [down] = operate(REVERSE, order_id)
    gateway.start()
    [up] = operate(REVERSE, order_id)
    # The kept connection broke, so the first request may have arrived; or it never left.
    assert brief(down) in (
        "unreachable authorized connection_failed",
        "unknown authorized connection_lost",
    )
    assert brief(up) == "succeeded voided"
