"""Orders held for review: a person looks at them before their money is taken."""

from decimal import Decimal

import pytest

from apps.common.errors import VersionConflict
from apps.orders import facade
from apps.orders.contracts import ApproveOrder, CancelOrder
from apps.orders.errors import NotHeld
from tests.trade import Trade, axes, drive_all, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
HELD = ("pending", "authorized", "not_fulfilled")


@pytest.fixture(autouse=True)
def _limit(settings):
    settings.REVIEW_ABOVE = Decimal("19.00")


@pytest.fixture
def trade(gateway):
    return Trade()


def test_an_order_above_the_limit_waits_with_its_money_held_not_taken(trade, gateway):
    placed = trade.place(MUG=3)
    drive_all()
    assert axes(placed.order_id) == HELD
    assert facade.get_order(placed.order_id).review == "held"
    assert trade.levels()["MUG"] == (100, 3)
    assert [one["status"] for one in gateway.payments()] == ["authorized"]
    assert violations() == {}


def test_an_order_at_the_limit_does_not_wait(trade):
    placed = trade.place(MUG=2)
    drive_all()
    assert axes(placed.order_id) == ("confirmed", "captured", "scheduled")
    assert facade.get_order(placed.order_id).review == "none"


def test_an_approved_order_goes_on_at_once(trade):
    placed = trade.place(MUG=3)
    drive_all()
    before = facade.get_order(placed.order_id).version
    accepted = facade.approve_order(ApproveOrder(placed.order_id, before))
    assert (accepted.version, accepted.saga_id) == (before + 1, placed.saga_id)
    drive_all()
    assert axes(placed.order_id) == ("confirmed", "captured", "scheduled")
    again = facade.approve_order(ApproveOrder(placed.order_id))
    assert again.status == "confirmed"
    assert violations() == {}


def test_an_approval_before_the_saga_came_to_it_is_heeded(trade):
    placed = trade.place(MUG=3)
    facade.approve_order(ApproveOrder(placed.order_id, 1))
    drive_all()
    assert axes(placed.order_id) == ("confirmed", "captured", "scheduled")


def test_a_held_order_that_is_cancelled_costs_nothing(trade, gateway):
    placed = trade.place(MUG=3)
    drive_all()
    facade.cancel_order(CancelOrder("staff:1", "k", placed.order_id, "looks_wrong"))
    drive_all()
    assert axes(placed.order_id) == ("cancelled", "voided", "not_fulfilled")
    assert trade.levels()["MUG"] == (100, 0)
    assert violations() == {}


def test_approving_what_is_not_held_or_has_changed_is_refused(trade):
    plain, held = trade.place(MUG=1), trade.place(MUG=3)
    drive_all()
    with pytest.raises(NotHeld):
        facade.approve_order(ApproveOrder(plain.order_id))
    with pytest.raises(VersionConflict):
        facade.approve_order(ApproveOrder(held.order_id, held.version))
    drive_all()
    assert axes(held.order_id) == HELD
