"""Refunds of parts and a reversal, their phases in any order, with a gateway that loses replies:
at the end everything went back once."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.common.ids import new_id
from apps.payments import facade
from apps.payments.contracts import MoneyState, Operation
from tests.integration.payments.money import (
    open_on_account,
    open_payment,
    operate,
    prepare,
    prepare_refunds,
    record,
    record_refunds,
    refund,
    settled_alone,
)

pytestmark = pytest.mark.django_db(databases=["orders"], transaction=True)
AMOUNTS = ("5.00", "7.34", "3.00")  # two of them fit into 12.34, whichever
LONGEST = 30


class Actor:
    """Prepares, performs, records, and begins again; one step at a time."""

    def __init__(self, order_id, amount: str | None):
        self.order_id, self.phase, self.results = order_id, 0, []
        self.part = refund(order_id, new_id(), amount) if amount else None

    def step(self) -> None:
        (self._prepare, self._perform, self._record)[self.phase]()
        self.phase = (self.phase + 1) % 3

    def _prepare(self) -> None:
        if self.part:
            prepare_refunds(self.part)
        else:
            prepare(Operation.REVERSE, self.order_id)

    def _perform(self) -> None:
        if self.part:
            self.results = facade.perform_refunds([self.part])
        else:
            self.results = facade.perform(Operation.REVERSE, [self.order_id])

    def _record(self) -> None:
        if self.part:
            record_refunds([self.part], self.results)
        else:
            record(Operation.REVERSE, self.results)

    def finish(self) -> str:
        for _ in range(4):
            while True:
                self.step()
                if self.phase == 0:
                    break
            if self.results[0].status in ("succeeded", "declined"):
                break
        return self.results[0].status


@pytest.fixture
def quick(settings):
    settings.GATEWAY_READ_TIMEOUT = 0.15


@hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    turns=st.lists(st.integers(0, len(AMOUNTS)), max_size=LONGEST),
    kind=st.sampled_from(["tok_approve", "tok_refund_timeout_after", "account"]),
)
def test_everything_goes_back_once_in_whatever_order(gateway, quick, turns, kind):
    [order_id] = open_on_account() if kind == "account" else [open_payment(kind)]
    operate(Operation.AUTHORIZE, order_id)
    operate(Operation.CAPTURE, order_id)
    actors = [Actor(order_id, amount) for amount in (*AMOUNTS, None)]
    for turn in turns:
        actors[turn].step()
        assert facade.net_amounts([order_id])[order_id].net.amount >= 0
    ends = [actor.finish() for actor in actors]

    assert set(ends[:-1]) <= {"succeeded", "declined"}
    assert ends[-1] == "succeeded"
    net = facade.net_amounts([order_id])[order_id]
    assert (net.state, net.refunded.amount, net.open) == (
        MoneyState.REFUNDED,
        Decimal("12.34"),
        False,
    )
    if kind != "account":
        assert facade.find_at_gateway([order_id])[order_id].refunded == net.refunded
    assert facade.audit(settled_alone) == []
