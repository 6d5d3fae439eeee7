"""Authorizing and capturing, card by card, with a real gateway process."""

from collections import Counter

import pytest
from django.db import transaction

from apps.common.errors import InvalidInput
from apps.common.ids import new_id
from apps.payments import facade
from apps.payments.contracts import MoneyState, Operation, PaymentStatus
from tests.integration.payments.money import (
    book,
    brief,
    open_payment,
    open_payments,
    operate,
    prepare,
    record,
    settled_alone,
)

pytestmark = pytest.mark.django_db(databases=["orders"], transaction=True)

AUTHORIZED = "succeeded authorized"
# Card → the first answer, and the answer to a repeat.
AUTHORIZATIONS = {
    "tok_approve": (AUTHORIZED, AUTHORIZED),
    "tok_unlimited": (AUTHORIZED, AUTHORIZED),
    "tok_decline": ("declined declined card_declined",) * 2,
    "tok_insufficient_funds": ("declined declined insufficient_funds",) * 2,
    "tok_expired_card": ("declined declined expired_card",) * 2,
    "tok_nobody_issued": ("declined declined invalid_card",) * 2,
    "not a token": ("declined declined invalid_card_token",) * 2,
    "tok_timeout_before": ("unknown not_paid timeout", AUTHORIZED),
    "tok_timeout_after": ("unknown not_paid timeout", AUTHORIZED),
    "tok_timeout_late": ("unknown not_paid timeout", AUTHORIZED),
    "tok_timeout_always": ("unknown not_paid timeout",) * 2,
    "tok_gone": ("unknown not_paid timeout",) * 2,
    "tok_drop_before": ("unknown not_paid connection_lost", AUTHORIZED),
    "tok_drop_after": (AUTHORIZED, AUTHORIZED),  # repeated at once with the same key
    "tok_error_500": ("unknown not_paid gateway_error", AUTHORIZED),
    "tok_error_500_after": ("unknown not_paid gateway_error", AUTHORIZED),
}
CAPTURED = "succeeded captured"
CAPTURES = {
    "tok_approve": (CAPTURED, CAPTURED),
    "tok_capture_decline": ("declined authorized capture_declined",) * 2,
    "tok_capture_timeout_before": ("unknown authorized timeout", CAPTURED),
    "tok_capture_timeout_after": ("unknown authorized timeout", CAPTURED),
    "tok_capture_timeout_always": ("unknown authorized timeout",) * 2,
    "tok_capture_error_500": ("unknown authorized gateway_error", CAPTURED),
}


def answers(operation: Operation, orders: dict) -> dict[str, str]:
    """The brief answer for each card."""
    results = operate(operation, *orders.values())
    return dict(zip(orders, map(brief, results), strict=True))


def test_each_card_authorizes_as_documented_and_no_repeat_holds_money_twice(gateway):
    orders = dict(zip(AUTHORIZATIONS, open_payments(list(AUTHORIZATIONS)), strict=True))
    first, second = answers(Operation.AUTHORIZE, orders), answers(Operation.AUTHORIZE, orders)
    assert {card: (first[card], second[card]) for card in orders} == AUTHORIZATIONS
    held = [one for one in gateway.payments() if one["status"] == "authorized"]
    assert len(held) == 9
    assert {one["authorized"]["amount"] for one in held} == {"12.34"}


def test_each_card_captures_as_documented_and_no_repeat_takes_money_twice(gateway):
    orders = dict(zip(CAPTURES, open_payments(list(CAPTURES)), strict=True))
    operate(Operation.AUTHORIZE, *orders.values())
    first, second = answers(Operation.CAPTURE, orders), answers(Operation.CAPTURE, orders)
    assert {card: (first[card], second[card]) for card in orders} == CAPTURES
    taken = Counter((one["status"], one["captures"]) for one in gateway.payments())
    assert taken == {("captured", 1): 4, ("authorized", 0): 2}


@pytest.mark.parametrize(
    ("card", "amount", "answer"),
    [
        ("tok_approve", "10000.00", AUTHORIZED),
        ("tok_approve", "10000.01", "declined declined limit_exceeded"),
        ("tok_unlimited", "168469.60", AUTHORIZED),
    ],
)
def test_the_standard_card_has_a_limit(gateway, card, amount, answer):
    [result] = operate(Operation.AUTHORIZE, open_payment(card, amount))
    assert brief(result) == answer


def test_the_ledger_tells_the_whole_story_of_a_lost_reply(gateway):
    order_id = open_payment("tok_timeout_after")
    operate(Operation.AUTHORIZE, order_id)
    operate(Operation.AUTHORIZE, order_id)
    operate(Operation.CAPTURE, order_id)
    assert book(order_id) == [
        "authorization requested",
        "authorization unknown timeout",
        "authorization succeeded",
        "capture requested",
        "capture succeeded",
    ]
    assert facade.money_states([order_id, new_id()]) == {order_id: MoneyState.CAPTURED}
    assert {one.gateway_reference for one in facade.ledger(order_id)} == {"", "pay_1"}


def test_recording_twice_gives_the_same_books(gateway):
    orders = open_payments(["tok_approve", "tok_decline", "tok_error_500"])
    prepare(Operation.AUTHORIZE, *orders)
    results = facade.perform(Operation.AUTHORIZE, orders)
    record(Operation.AUTHORIZE, results)
    before = [facade.ledger(one) for one in orders]
    record(Operation.AUTHORIZE, results)
    assert [facade.ledger(one) for one in orders] == before


def test_an_attempt_that_left_no_answer_counts_as_unknown(gateway):
    order_id = open_payment()
    prepare(Operation.AUTHORIZE, order_id)
    facade.perform(Operation.AUTHORIZE, [order_id])  # and the process dies before recording
    gateway.kill()
    [result] = operate(Operation.AUTHORIZE, order_id)
    assert brief(result) == "unknown not_paid connection_failed"
    gateway.start()
    [result] = operate(Operation.AUTHORIZE, order_id)
    assert brief(result) == AUTHORIZED
    assert book(order_id) == [
        "authorization requested",
        "authorization unknown unanswered",
        "authorization succeeded",
    ]
    assert len(gateway.payments()) == 1


def test_a_gateway_that_is_down_is_unreachable_and_nothing_is_known_of_it(gateway):
    order_id = open_payment()
    gateway.kill()
    [result] = operate(Operation.AUTHORIZE, order_id)
    assert brief(result) == "unreachable not_paid connection_failed"
    assert book(order_id) == ["authorization requested"]
    assert not facade.gateway_answers()


def test_calls_that_do_not_fit_into_the_time_are_left_for_the_next_attempt(gateway):
    orders = open_payments(["tok_approve"] * 3)
    prepare(Operation.AUTHORIZE, *orders)
    results = facade.perform(Operation.AUTHORIZE, orders, seconds=-1)
    assert [brief(one) for one in results] == ["unreachable not_paid no_time"] * 3
    assert gateway.payments() == []


def test_capture_needs_an_authorization(gateway):
    order_id = open_payment("tok_decline")
    operate(Operation.AUTHORIZE, order_id)
    [result] = operate(Operation.CAPTURE, order_id)
    assert brief(result) == "declined declined not_authorized"
    assert book(order_id) == ["authorization requested", "authorization failed card_declined"]


def test_an_order_without_payment_can_be_reversed_but_not_paid(gateway):
    order_id = new_id()
    for operation, status in (
        (Operation.AUTHORIZE, PaymentStatus.DECLINED),
        (Operation.REVERSE, PaymentStatus.SUCCEEDED),
    ):
        [result] = operate(operation, order_id)
        assert (result.status, result.state) == (status, MoneyState.NOT_PAID)


def test_results_come_in_the_order_asked_for(gateway):
    orders = open_payments(["tok_approve"] * 40)
    results = operate(Operation.AUTHORIZE, *reversed(orders))
    assert [one.order_id for one in results] == orders[::-1]


def test_no_gateway_call_happens_inside_a_transaction(gateway):
    order_id = open_payment()
    with transaction.atomic(using="orders"), pytest.raises(RuntimeError):
        facade.perform(Operation.AUTHORIZE, [order_id])
    assert gateway.payments() == []


@pytest.mark.parametrize(
    ("token", "amount", "field", "code"),
    [
        ("tok_approve", "0.00", "payments[0].amount", "min_value"),
        ("tok_approve", "-1.00", "payments[0].amount", "min_value"),
        ("", "1.00", "payments[0].card_token", "length"),
        ("t" * 65, "1.00", "payments[0].card_token", "length"),
    ],
)
def test_a_payment_that_cannot_be_is_refused_and_not_opened(token, amount, field, code):
    with pytest.raises(InvalidInput) as refused:
        open_payment(token, amount)
    assert [(one.field, one.code) for one in refused.value.errors] == [(field, code)]
    assert list(facade.all_net_amounts()) == []


def test_the_books_of_all_that_agree_with_the_gateway(gateway):
    orders = open_payments([*AUTHORIZATIONS])
    operate(Operation.AUTHORIZE, *orders)
    operate(Operation.AUTHORIZE, *orders)
    unsettled = facade.audit(settled_alone)
    assert {one.check for one in unsettled} == {"unsettled"}
    assert {one.subject for one in unsettled} == {str(orders[10]), str(orders[11])}
