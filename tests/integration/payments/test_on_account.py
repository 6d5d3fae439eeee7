"""Payments on account move in the shop's own books and nowhere else."""

import pytest
from django.db import IntegrityError, connections, transaction
from moneyed import Money

from apps.common.errors import Conflict, InvalidInput
from apps.common.ids import new_id
from apps.payments import client, facade
from apps.payments.contracts import MoneyState, OpenPayment, Operation
from apps.payments.models import Payment, PaymentEntry
from tests.integration.payments.money import (
    book,
    brief,
    open_on_account,
    open_payment,
    operate,
    prepare,
    record,
    settled_alone,
)

pytestmark = pytest.mark.django_db(databases=["orders"], transaction=True)
AUTHORIZE, CAPTURE, REVERSE = Operation.AUTHORIZE, Operation.CAPTURE, Operation.REVERSE
ONE = Money("12.34", "GBP")


@pytest.fixture(autouse=True)
def _nobody_there(settings):
    settings.GATEWAY_URL = "http://127.0.0.1:9"  # nobody listens: who asks, fails


@pytest.mark.parametrize(
    ("operations", "answers", "entries"),
    [
        (
            (AUTHORIZE, CAPTURE),
            ["succeeded authorized", "succeeded captured"],
            ["authorization succeeded", "capture succeeded"],
        ),
        (
            (REVERSE, AUTHORIZE),
            ["succeeded not_paid cancelled", "declined not_paid cancelled"],
            ["authorization failed cancelled"],
        ),
        (
            (AUTHORIZE, REVERSE, CAPTURE),
            ["succeeded authorized", "succeeded voided", "declined voided not_captured"],
            ["authorization succeeded", "capture failed not_captured", "void succeeded"],
        ),
        (
            (AUTHORIZE, CAPTURE, REVERSE, CAPTURE),
            [
                "succeeded authorized",
                "succeeded captured",
                "succeeded refunded",
                "declined refunded reversed",
            ],
            ["authorization succeeded", "capture succeeded", "refund succeeded"],
        ),
        ((CAPTURE,), ["declined not_paid not_authorized"], []),
    ],
)
def test_the_books_tell_each_movement_once(operations, answers, entries):
    [order_id] = open_on_account()
    assert [brief(one) for each in operations for one in operate(each, order_id)] == answers
    assert book(order_id) == entries
    [again] = operate(operations[-1], order_id)
    assert brief(again) == answers[-1]
    assert book(order_id) == entries


def test_what_is_prepared_is_no_entry():
    [order_id] = open_on_account()
    prepare(AUTHORIZE, order_id)
    facade.perform(AUTHORIZE, [order_id])
    assert book(order_id) == []
    assert facade.money_states([order_id]) == {order_id: MoneyState.NOT_PAID}


@pytest.mark.parametrize(
    ("before", "late", "entries"),
    [
        ((), AUTHORIZE, ["authorization failed cancelled"]),
        (
            (AUTHORIZE,),
            CAPTURE,
            ["authorization succeeded", "capture failed not_captured", "void succeeded"],
        ),
    ],
)
def test_a_result_made_before_a_reversal_moves_nothing_after_it(before, late, entries):
    [order_id] = open_on_account()
    for operation in before:
        operate(operation, order_id)
    results = facade.perform(late, [order_id])
    assert brief(results[0]).startswith("succeeded")
    operate(REVERSE, order_id)
    with pytest.raises(Conflict, match="undone meanwhile"):
        record(late, results)
    assert book(order_id) == entries


def test_a_reversal_decided_before_a_capture_is_decided_again():
    [order_id] = open_on_account()
    operate(AUTHORIZE, order_id)
    results = facade.perform(REVERSE, [order_id])
    operate(CAPTURE, order_id)
    with pytest.raises(Conflict, match="moved before it was undone"):
        record(REVERSE, results)
    assert book(order_id) == ["authorization succeeded", "capture succeeded"]
    [again] = operate(REVERSE, order_id)
    assert brief(again) == "succeeded refunded"
    assert facade.net_amounts([order_id])[order_id].net == Money(0, "GBP")


def test_cards_and_accounts_go_through_one_batch(gateway):
    card, other, [account] = open_payment(), open_payment("tok_decline"), open_on_account()
    orders = [card, account, other]
    assert [brief(one) for one in operate(AUTHORIZE, *orders)] == [
        "succeeded authorized",
        "succeeded authorized",
        "declined declined card_declined",
    ]
    operate(CAPTURE, card, account)
    assert book(account) == ["authorization succeeded", "capture succeeded"]
    assert {one["status"] for one in gateway.payments()} == {"captured", "declined"}
    net = facade.net_amounts(orders)
    assert [(net[one].net, net[one].method) for one in (card, account)] == [
        (ONE, "card"),
        (ONE, "account"),
    ]
    assert facade.audit(settled_alone) == []


def test_the_gateway_is_not_asked_about_them_unless_it_knows_them(gateway):
    [order_id] = open_on_account()
    operate(AUTHORIZE, order_id)
    operate(CAPTURE, order_id)
    assert facade.audit(settled_alone) == []
    reference = Payment.objects.get(order_id=order_id).pk
    client.gateway().authorize(reference, ONE, "tok_approve", "not ours")
    [finding] = facade.audit(settled_alone)
    assert (finding.check, finding.subject) == ("on_account_at_gateway", str(order_id))


@pytest.mark.parametrize(
    ("method", "card_token", "field"),
    [
        ("account", "tok_approve", "payments[0].card_token"),
        ("card", "", "payments[0].card_token"),
        ("card", "x" * 65, "payments[0].card_token"),
        ("cash", "", "payments[0].method"),
    ],
)
def test_method_and_card_must_fit(method, card_token, field):
    with pytest.raises(InvalidInput) as refused, transaction.atomic(using="orders"):
        facade.open_payments([OpenPayment(new_id(), ONE, card_token, method)])
    assert [one.field for one in refused.value.errors] == [field]
    assert Payment.objects.count() == 0


@pytest.mark.parametrize(("method", "card_token"), [("account", "tok"), ("card", "")])
def test_the_database_holds_method_and_card_together(method, card_token):
    with pytest.raises(IntegrityError, match="payment_card_has_token"):
        Payment.objects.create(
            id=new_id(),
            order_id=new_id(),
            amount=1,
            currency="GBP",
            method=method,
            card_token=card_token,
        )


def test_a_batch_costs_three_statements_for_each_movement(django_assert_num_queries):
    orders = open_on_account(50)
    for operation, number in ((AUTHORIZE, 3), (CAPTURE, 3)):
        with django_assert_num_queries(number + 4, connection=connections["orders"]):  # + BEGINs
            operate(operation, *orders)
    assert PaymentEntry.objects.count() == 100
