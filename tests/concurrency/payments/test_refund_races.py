"""What is given back of one payment is decided by one at a time."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connections, transaction

from apps.common.databases import execute
from apps.common.ids import new_id
from apps.payments import facade
from apps.payments.contracts import MoneyState, Operation
from tests.integration.payments.money import (
    give_back,
    open_on_account,
    operate,
    refund,
)

pytestmark = pytest.mark.django_db(databases=["orders"], transaction=True)


@pytest.fixture
def order_id():
    [one] = open_on_account()
    operate(Operation.AUTHORIZE, one)
    operate(Operation.CAPTURE, one)
    return one


def impatiently(work) -> None:
    """Does ``work`` in a transaction of another connection that waits for no lock."""

    def elsewhere() -> None:
        try:
            with transaction.atomic(using="orders"):
                execute("orders", "SET LOCAL lock_timeout = '200ms'")
                work()
        finally:
            connections["orders"].close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(elsewhere).result()


def test_two_refunds_do_not_both_find_the_same_money(order_id):
    first, second = refund(order_id, new_id(), "8.00"), refund(order_id, new_id(), "8.00")
    with transaction.atomic(using="orders"):
        facade.prepare_refunds([first])
        with pytest.raises(OperationalError, match="lock timeout"):
            impatiently(lambda: facade.prepare_refunds([second]))
    assert [one.status for one in give_back(second)] == ["declined"]
    assert str(facade.net_amounts([order_id])[order_id].net.amount) == "4.34"


def test_a_reversal_waits_for_the_refund_that_changes_its_rest(order_id):
    results = facade.perform(Operation.REVERSE, [order_id])
    with transaction.atomic(using="orders"):
        facade.prepare_refunds([refund(order_id, new_id(), "8.00")])
        with pytest.raises(OperationalError, match="lock timeout"):
            impatiently(lambda: facade.record(Operation.REVERSE, results))
    operate(Operation.REVERSE, order_id)
    net = facade.net_amounts([order_id])[order_id]
    assert (net.state, net.refunded) == (MoneyState.REFUNDED, net.captured)
