"""Each way the link to the gateway fails does what its name says, seen from both ends."""

from uuid import uuid4

import pytest
from moneyed import Money

from apps.payments.client import gateway as shop_side
from apps.payments.gateways import Unanswered
from chaos.proxies import Mode

AMOUNT = Money("5.00", "GBP")


def authorize():
    reference = uuid4()
    return shop_side().authorize(reference, AMOUNT, "tok_approve", str(reference))


def test_it_passes_on_what_it_gets(link, gateway):
    assert [authorize().state.value for _ in range(3)] == ["authorized"] * 3
    assert len(gateway.payments()) == 3
    assert link.struck == 0


@pytest.mark.parametrize(
    ("mode", "happened"),
    [
        (Mode.CUT_BEFORE, 0),
        (Mode.CUT_AFTER, 1),
        (Mode.HALF_OPEN, 0),
        (Mode.ERRORS, 1),
    ],
)
def test_a_broken_link_leaves_the_shop_without_an_answer(link, gateway, mode, happened):
    link.mode = mode
    with pytest.raises(Unanswered):
        authorize()
    assert link.struck >= 1
    assert len(gateway.payments()) == happened
    link.mode = Mode.PASS
    assert authorize().state.value == "authorized"


def test_a_slow_link_is_only_slow(link, gateway):
    link.mode, link.delays = Mode.SLOW, (0.1,)
    assert authorize().state.value == "authorized"
    link.delays = (1.0,)
    with pytest.raises(Unanswered):
        authorize()
    assert len(gateway.payments()) == 2
