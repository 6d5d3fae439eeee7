"""Parts of the money go back: each once, and never more than was captured."""

import sqlite3
from contextlib import closing

import pytest
from moneyed import Money

from apps.common.errors import Conflict, InvalidInput
from apps.common.ids import new_id
from apps.payments import client, facade
from apps.payments.contracts import MoneyState, Operation, RefundPayment
from apps.payments.models import Payment
from tests.integration.payments.money import (
    book,
    brief,
    give_back,
    open_on_account,
    open_payment,
    operate,
    prepare_refunds,
    record_refunds,
    refund,
    settled_alone,
)

pytestmark = pytest.mark.django_db(databases=["orders"], transaction=True)
AUTHORIZE, CAPTURE, REVERSE = Operation.AUTHORIZE, Operation.CAPTURE, Operation.REVERSE
PAID = ["authorization requested", "authorization succeeded"]
PAID += ["capture requested", "capture succeeded"]
PARTIALLY = "succeeded partially_refunded"


def paid(card="tok_approve"):
    order_id = open_payment(card)
    operate(AUTHORIZE, order_id)
    operate(CAPTURE, order_id)
    return order_id


def paid_on_account():
    [order_id] = open_on_account()
    operate(AUTHORIZE, order_id)
    operate(CAPTURE, order_id)
    return order_id


def kept(order_id) -> str:
    return str(facade.net_amounts([order_id])[order_id].net.amount)


@pytest.mark.parametrize("pay", [paid, paid_on_account])
def test_parts_are_given_back_until_nothing_is_left(gateway, pay):
    order_id, first, second, third = pay(), new_id(), new_id(), new_id()
    assert [brief(one) for one in give_back(refund(order_id, first, "2.34"))] == [PARTIALLY]
    assert kept(order_id) == "10.00"
    [too_much] = give_back(refund(order_id, second, "10.01"))
    assert brief(too_much) == "declined partially_refunded exceeds_captured"
    [rest] = give_back(refund(order_id, third, "10.00"))
    assert brief(rest) == "succeeded refunded"
    assert kept(order_id) == "0.00"
    found = facade.find_refunds([order_id, new_id()])
    assert found.keys() == {order_id}
    assert [(one.refund_id, one.amount, one.state, one.code) for one in found[order_id]] == [
        (first, Money("2.34", "GBP"), "succeeded", ""),
        (second, Money("10.01", "GBP"), "failed", "exceeds_captured"),
        (third, Money("10.00", "GBP"), "succeeded", ""),
    ]
    assert facade.audit(settled_alone) == []
    assert [one["status"] for one in gateway.payments()] == ["refunded"] * (pay is paid)


@pytest.mark.parametrize("pay", [paid, paid_on_account])
def test_a_repeat_with_the_same_id_gives_nothing_back_twice(gateway, pay):
    order_id, one = pay(), new_id()
    give_back(refund(order_id, one, "2.34"))
    entries = book(order_id)
    assert [brief(again) for again in give_back(refund(order_id, one, "2.34"))] == [PARTIALLY]
    assert book(order_id) == entries
    with pytest.raises(Conflict, match="another amount"):
        give_back(refund(order_id, one, "2.35"))
    assert kept(order_id) == "10.00"
    assert facade.audit(settled_alone) == []


def test_refunds_of_one_order_in_one_batch_reckon_with_each_other(gateway):
    for pay in (paid, paid_on_account):
        order_id = pay()
        refunds = [refund(order_id, new_id(), amount) for amount in ("6.00", "7.00", "6.34")]
        statuses = [one.status.value for one in give_back(*refunds)]
        assert statuses == ["succeeded", "declined", "succeeded"]
        assert facade.money_states([order_id]) == {order_id: MoneyState.REFUNDED}
    assert facade.audit(settled_alone) == []


def test_recording_tells_where_the_money_is(gateway):
    order_id = paid()
    refunds = [refund(order_id, new_id(), "12.00"), refund(order_id, new_id(), "0.34")]
    prepare_refunds(*refunds)
    results = facade.perform_refunds(refunds)
    assert record_refunds(refunds, results) == {order_id: MoneyState.REFUNDED}


def test_a_lost_reply_is_repeated_with_the_same_key(gateway):
    order_id, one = paid("tok_refund_timeout_after"), new_id()
    [first] = give_back(refund(order_id, one, "2.34"))
    assert brief(first) == "unknown captured timeout"
    assert facade.net_amounts([order_id])[order_id].open
    [second] = give_back(refund(order_id, one, "2.34"))
    assert brief(second) == PARTIALLY
    assert book(order_id)[4:] == ["refund requested", "refund unknown timeout", "refund succeeded"]
    [payment] = gateway.payments()
    assert payment["refunded"]["amount"] == "2.34"


def test_a_request_whose_answer_nobody_wrote_down_is_repeated(gateway):
    order_id = paid()
    one = refund(order_id, new_id(), "2.34")
    prepare_refunds(one)
    facade.perform_refunds([one])  # and death before the answer is recorded
    assert [brief(again) for again in give_back(one)] == [PARTIALLY]
    assert book(order_id)[4:] == [
        "refund requested",
        "refund unknown unanswered",
        "refund succeeded",
    ]
    assert gateway.payments()[0]["refunded"]["amount"] == "2.34"


def forget_keys(gateway) -> None:
    """As gateways do after a day."""
    gateway.stop()
    with closing(sqlite3.connect(gateway.data / "gateway.sqlite3")) as record, record:
        record.execute("DELETE FROM answer")
    gateway.start()


def test_a_refund_is_not_repeated_once_the_gateway_may_have_forgotten_its_key(gateway, settings):
    order_id, one = paid("tok_refund_timeout_after"), new_id()
    give_back(refund(order_id, one, "2.34"))
    forget_keys(gateway)
    settings.GATEWAY_KEY_SECONDS = 0.0
    [again] = give_back(refund(order_id, one, "2.34"))
    assert brief(again) == "unknown captured key_expired"
    assert gateway.payments()[0]["refunded"]["amount"] == "2.34"


def test_a_refund_that_was_certainly_not_carried_out_is_repeated_with_an_old_key(gateway, settings):
    order_id, done = paid(), new_id()
    one = refund(order_id, new_id(), "2.34")
    give_back(refund(order_id, done, "1.00"))
    prepare_refunds(one)  # and death before it was asked for
    settings.GATEWAY_KEY_SECONDS = 0.0
    assert [brief(again) for again in give_back(one)] == [PARTIALLY]
    assert gateway.payments()[0]["refunded"]["amount"] == "3.34"


def test_a_gateway_that_is_down_is_waited_for(gateway):
    order_id, one = paid(), new_id()
    gateway.kill()
    [down] = give_back(refund(order_id, one, "2.34"))
    assert down.status in ("unreachable", "unknown")
    gateway.start()
    assert [brief(up) for up in give_back(refund(order_id, one, "2.34"))] == [PARTIALLY]


def test_no_part_is_asked_for_twice_at_once_of_what_is_on_its_way(gateway):
    order_id = paid()
    prepare_refunds(refund(order_id, new_id(), "10.00"))  # and no answer yet
    [other] = give_back(refund(order_id, new_id(), "2.35"))
    assert brief(other) == "declined captured exceeds_captured"


@pytest.mark.parametrize(
    ("before", "answer", "entry"),
    [
        ((), "declined not_paid not_captured", "refund failed not_captured"),
        ((AUTHORIZE,), "declined authorized not_captured", "refund failed not_captured"),
        ((AUTHORIZE, CAPTURE, REVERSE), "declined refunded reversed", "refund failed reversed"),
        ((AUTHORIZE, REVERSE), "declined voided reversed", "refund failed reversed"),
    ],
)
def test_only_what_was_captured_and_kept_is_given_back(gateway, before, answer, entry):
    for order_id in (open_payment(), *open_on_account()):
        for operation in before:
            operate(operation, order_id)
        [result] = give_back(refund(order_id, new_id(), "1.00"))
        assert brief(result) == answer
        assert book(order_id)[-1] == entry


def test_a_refund_waits_for_a_capture_without_answer(gateway):
    order_id, one = open_payment("tok_capture_timeout_after"), new_id()
    operate(AUTHORIZE, order_id)
    operate(CAPTURE, order_id)
    [waits] = give_back(refund(order_id, one, "1.00"))
    assert brief(waits) == "unreachable authorized capture_open"
    operate(CAPTURE, order_id)
    assert [brief(now) for now in give_back(refund(order_id, one, "1.00"))] == [PARTIALLY]


def test_an_order_without_payment_has_nothing_to_give_back(gateway):
    [result] = give_back(refund(new_id(), new_id(), "1.00"))
    assert brief(result) == "declined not_paid no_payment"


@pytest.mark.parametrize(("amount", "currency"), [("0.00", "GBP"), ("-1.00", "GBP"), ("1", "EUR")])
def test_amounts_that_cannot_be_are_refused(gateway, amount, currency):
    order_id = paid()
    with pytest.raises(InvalidInput) as refused:
        give_back(RefundPayment(order_id, new_id(), Money(amount, currency)))
    assert [one.field for one in refused.value.errors] == ["refunds[0].amount"]
    assert book(order_id) == PAID


# --- together with reversals -------------------------------------------------------------------
@pytest.mark.parametrize("pay", [paid, paid_on_account])
def test_a_reversal_gives_back_the_rest(gateway, pay):
    order_id = pay()
    give_back(refund(order_id, new_id(), "2.34"))
    [result] = operate(REVERSE, order_id)
    assert brief(result) == "succeeded refunded"
    assert facade.ledger(order_id)[-1].amount == Money("10.00", "GBP")
    assert kept(order_id) == "0.00"
    [again] = operate(REVERSE, order_id)
    assert brief(again) == "succeeded refunded"
    assert facade.audit(settled_alone) == []
    if pay is paid:
        assert gateway.payments()[0]["refunded"]["amount"] == "12.34"


def test_a_reversal_of_what_went_back_in_parts_does_nothing(gateway):
    order_id = paid()
    give_back(refund(order_id, new_id(), "12.34"))
    entries = book(order_id)
    assert [brief(one) for one in operate(REVERSE, order_id)] == ["succeeded refunded"]
    assert book(order_id) == entries


def test_a_reversal_waits_until_it_is_certain_how_much_is_left(gateway):
    order_id, one = paid("tok_refund_timeout_after"), new_id()
    give_back(refund(order_id, one, "2.34"))
    [waits] = operate(REVERSE, order_id)
    assert brief(waits) == "unreachable captured refund_open"
    give_back(refund(order_id, one, "2.34"))
    assert [brief(now) for now in operate(REVERSE, order_id)] == ["succeeded refunded"]
    assert gateway.payments()[0]["refunded"]["amount"] == "12.34"
    assert facade.audit(settled_alone) == []


def test_a_part_that_failed_is_part_of_the_rest(gateway):
    order_id = paid()
    give_back(refund(order_id, new_id(), "99.00"))
    assert [brief(one) for one in operate(REVERSE, order_id)] == ["succeeded refunded"]
    assert gateway.payments()[0]["refunded"]["amount"] == "12.34"


# --- refused for good --------------------------------------------------------------------------
def refund_at_the_gateway(order_id, amount):
    """Somebody gives money back by hand, past our ledger."""
    reference = Payment.objects.get(order_id=order_id).pk
    client.gateway().refund(reference, Money(amount, "GBP"), f"by hand {amount}")


def test_the_ledger_says_why_the_gateway_refused_a_part(gateway):
    order_id = paid()
    refund_at_the_gateway(order_id, "5.00")
    [refused] = give_back(refund(order_id, new_id(), "8.00"))
    assert brief(refused) == "declined captured amount_too_large"
    last = facade.ledger(order_id)[-1]
    assert (last.operation, last.state, last.code) == ("refund", "failed", "amount_too_large")
    assert "12.34" in last.detail
    assert "5.00" in last.detail
    [found] = facade.find_refunds([order_id])[order_id]
    assert (found.state, found.code, found.detail) == ("failed", last.code, last.detail)


def test_the_ledger_says_why_the_gateway_refused_a_reversal(gateway):
    order_id = paid()
    refund_at_the_gateway(order_id, "5.00")
    for _ in range(2):
        [refused] = operate(REVERSE, order_id)
        assert brief(refused) == "declined captured amount_too_large"
    last = facade.ledger(order_id)[-1]
    assert (last.operation, last.state, last.code) == ("refund", "failed", "amount_too_large")
    assert "refunded" in last.detail
