"""The ledger cannot be rewritten, and the audit finds what does not agree."""

import pytest
from django.db import IntegrityError, connections, transaction
from moneyed import Money

from apps.common.audit import Finding
from apps.common.databases import execute
from apps.common.errors import Unavailable
from apps.common.ids import new_id
from apps.payments import client, facade, selectors
from apps.payments.contracts import MoneyState, Operation
from apps.payments.models import Payment, PaymentEntry
from tests.integration.payments.money import (
    open_payment,
    open_payments,
    operate,
    prepare,
    settled_alone,
)

pytestmark = pytest.mark.django_db(databases=["orders"], transaction=True)
ONE = Money("12.34", "GBP")


def paid(gateway, card="tok_approve"):
    order_id = open_payment(card)
    operate(Operation.AUTHORIZE, order_id)
    operate(Operation.CAPTURE, order_id)
    return order_id


def entry(order_id, operation, state, **values) -> None:
    """A ledger entry out of the blue."""
    payment = Payment.objects.get(order_id=order_id)
    PaymentEntry.objects.create(
        payment=payment,
        operation=operation,
        state=state,
        amount=payment.amount,
        currency=payment.currency,
        idempotency_key=f"{payment.id}:{operation}",
        **values,
    )


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE payments_paymententry SET amount = 1",
        "DELETE FROM payments_paymententry",
    ],
)
def test_the_ledger_is_append_only(sql):
    order_id = open_payment()
    prepare(Operation.AUTHORIZE, order_id)
    before = facade.ledger(order_id)
    with pytest.raises(IntegrityError, match="append-only"):
        execute("orders", sql)
    assert facade.ledger(order_id) == before


def test_an_order_has_one_payment():
    order_id = open_payment()
    with pytest.raises(IntegrityError), transaction.atomic(using="orders"):
        Payment.objects.create(
            id=new_id(), order_id=order_id, amount=1, currency="GBP", card_token="tok"
        )
    assert Payment.objects.count() == 1


def test_a_movement_is_settled_once():
    order_id = open_payment()
    entry(order_id, "capture", "failed")
    for state in ("failed", "succeeded"):
        with pytest.raises(IntegrityError, match="once"):
            entry(order_id, "capture", state)
    assert len(facade.ledger(order_id)) == 1


def test_writing_needs_the_callers_transaction():
    order_id = open_payment()
    for write in (
        lambda: facade.open_payments([]),
        lambda: facade.prepare(Operation.CAPTURE, [order_id]),
        lambda: facade.record(Operation.CAPTURE, []),
    ):
        with pytest.raises(transaction.TransactionManagementError):
            write()


def test_net_amounts_of_some_and_of_all(gateway):
    orders = open_payments(["tok_approve", "tok_approve", "tok_decline"])
    operate(Operation.AUTHORIZE, *orders)
    operate(Operation.CAPTURE, *orders[:2])
    operate(Operation.REVERSE, orders[1])
    some = facade.net_amounts([*orders, new_id()])
    assert [(some[one].net, some[one].state) for one in orders] == [
        (ONE, MoneyState.CAPTURED),
        (Money(0, "GBP"), MoneyState.REFUNDED),
        (Money(0, "GBP"), MoneyState.DECLINED),
    ]
    assert {one.order_id: one for one in facade.all_net_amounts()} == some
    assert some.keys() == set(orders)


def test_the_gateways_records_come_with_our_orders(gateway):
    order_id = paid(gateway)
    client.gateway().authorize(new_id(), ONE, "tok_approve", "not ours")
    ours, other = facade.gateway_records()
    assert (ours[0], ours[1].net, ours[1].captures) == (order_id, ONE, 1)
    assert other[0] is None
    assert facade.find_at_gateway([order_id, new_id()]) == {order_id: ours[1]}


def test_the_sums_are_those_the_orm_finds(gateway):
    orders = open_payments(["tok_approve"] * 7)
    operate(Operation.AUTHORIZE, *orders)
    operate(Operation.CAPTURE, *orders[:5])
    operate(Operation.REVERSE, *orders[3:])
    for one in facade.all_net_amounts():
        entries = PaymentEntry.objects.filter(payment__order_id=one.order_id, state="succeeded")
        sums = [
            sum(entries.filter(operation=operation).values_list("amount", flat=True))
            for operation in ("capture", "refund")
        ]
        assert [one.captured.amount, one.refunded.amount] == sums


def test_books_that_agree_have_no_findings(gateway):
    paid(gateway)
    assert facade.audit(settled_alone) == []


def test_a_capture_that_is_not_ours_is_found(gateway):
    stranger = new_id()
    client.gateway().authorize(stranger, ONE, "tok_approve", "a")
    assert facade.audit(settled_alone) == []
    client.gateway().capture(stranger, ONE, "c")
    assert facade.audit(settled_alone) == [
        Finding("capture_unknown_to_us", str(stranger), "12.34 GBP kept at the gateway")
    ]


def test_money_the_gateway_moved_without_us_is_found(gateway):
    taken, given_back, voided = open_payments(["tok_approve"] * 3)
    operate(Operation.AUTHORIZE, taken, given_back, voided)
    operate(Operation.CAPTURE, given_back)
    there = client.gateway()
    reference = {one.order_id: one.payment_id for one in selectors.all_positions()}
    there.capture(reference[taken], ONE, "x")
    there.refund(reference[given_back], ONE, "y")
    there.void(reference[voided], "z")
    found = {(one.check, one.subject) for one in facade.audit(settled_alone)}
    assert found == {
        ("amounts_differ", str(taken)),
        ("amounts_differ", str(given_back)),
        ("states_differ", str(voided)),
    }


def test_a_ledger_that_claims_what_the_gateway_does_not_know_is_found(gateway):
    order_id = open_payment()
    entry(order_id, "capture", "succeeded")
    [finding] = facade.audit(settled_alone)
    assert (finding.check, finding.subject) == ("unknown_to_gateway", str(order_id))


def test_an_entry_of_no_payment_is_found(gateway):
    execute(
        "orders",
        """
        INSERT INTO payments_paymententry (payment_id, operation, state, amount, currency,
            idempotency_key, gateway_reference, code, detail)
        VALUES (gen_random_uuid(), 'capture', 'succeeded', 1, 'GBP', 'x', '', '', '')
        """,
    )
    assert [one.check for one in facade.audit(settled_alone)] == ["entry_without_payment"]


def test_an_order_somebody_works_on_is_no_finding(gateway):
    order_id = open_payment()
    operate(Operation.AUTHORIZE, order_id)
    prepare(Operation.CAPTURE, order_id)
    facade.perform(Operation.CAPTURE, [order_id])  # and not recorded yet
    assert facade.audit(lambda order_ids: set()) == []
    assert [one.check for one in facade.audit(settled_alone)] == ["amounts_differ"]


def test_an_audit_without_gateway_says_so(gateway):
    gateway.kill()
    with pytest.raises(Unavailable, match="connection_failed"):
        facade.audit(settled_alone)


def test_one_statement_reads_the_positions_of_many(django_assert_num_queries):
    orders = open_payments(["tok_approve"] * 50)
    with django_assert_num_queries(1, connection=connections["orders"]):
        assert len(facade.money_states(orders)) == 50
