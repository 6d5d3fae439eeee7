"""Holds end with their time, with a row in the ledger; a saga's reservation never does."""

from uuid import UUID

import pytest

from apps.catalog import facade, jobs, stock
from apps.catalog.contracts import ExpiredHolds
from apps.catalog.models import Reservation, StockLedgerEntry
from apps.common import failpoints
from apps.common.databases import execute
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["catalog"])


def hold(product_id: UUID, pieces: int, *, minutes: float | None):
    """A reservation that expires in so many minutes (None: a saga's, which never does)."""
    command = shop.reserve((product_id, pieces))
    facade.reserve_stock([command])
    execute(
        "catalog",
        "UPDATE catalog_reservation SET expires_at = now() + make_interval(secs => %s)"
        " WHERE order_id = %s",
        [None if minutes is None else minutes * 60, command.order_id],
    )
    return command


def status(command) -> str:
    return Reservation.objects.get(order_id=command.order_id).status


def test_what_is_over_is_released_and_nothing_else():
    cup, mug = shop.product(10), shop.product(10)
    over = [hold(cup, 2, minutes=-1), hold(cup, 1, minutes=-1), hold(mug, 4, minutes=-0.01)]
    kept = [hold(cup, 3, minutes=1), hold(mug, 5, minutes=None)]
    assert stock.expire_holds(most=10) == ExpiredHolds(3, 7)
    assert (shop.levels(cup), shop.levels(mug)) == ((10, 3), (10, 5))
    assert [status(one) for one in over] == ["released"] * 3
    assert [status(one) for one in kept] == ["live"] * 2
    assert facade.audit_stock() == []


def test_the_ledger_says_why():
    cup = shop.product(10)
    command = hold(cup, 2, minutes=-1)
    stock.expire_holds(most=10)
    entry = StockLedgerEntry.objects.order_by("-id").first()
    assert (entry.kind, entry.delta_on_hand, entry.delta_reserved) == ("released", 0, -2)
    assert (entry.actor, entry.reason, entry.order_id) == (
        *("clock", "The hold expired."),
        command.order_id,
    )


def test_a_second_time_there_is_nothing_left():
    cup = shop.product(10)
    hold(cup, 2, minutes=-1)
    assert stock.expire_holds(most=10) == ExpiredHolds(1, 2)
    assert stock.expire_holds(most=10) == ExpiredHolds(0, 0)
    assert shop.ledger(cup)[-1] == ("released", 0, -2)
    assert len(shop.ledger(cup)) == 3


def test_the_job_takes_as_many_batches_as_it_needs(monkeypatch):
    monkeypatch.setattr("apps.common.batches.in_batches.__kwdefaults__", {"size": 2, "most": 100})
    cup = shop.product(10)
    for _ in range(5):
        hold(cup, 1, minutes=-1)
    assert jobs.expire_holds.function() == {"holds": 5, "pieces": 5}
    assert shop.levels(cup) == (10, 0)


def test_a_release_after_the_expiry_finds_nothing_to_free():
    cup = shop.product(10)
    command = hold(cup, 2, minutes=-1)
    stock.expire_holds(most=10)
    [answer] = facade.release_stock([shop.release(command)])
    assert answer.quantity == 0
    assert shop.levels(cup) == (10, 0)
    assert facade.audit_stock() == []


@pytest.mark.parametrize(
    ("where", "level"), [("before_commit", (10, 4)), ("after_commit", (10, 0))]
)
def test_a_stop_loses_nothing_and_doubles_nothing(monkeypatch, where, level):
    cup = shop.product(10)
    hold(cup, 4, minutes=-1)
    armed = failpoints.Armed.parse(f"catalog.expire.{where}:1:raise")
    monkeypatch.setattr(failpoints, "_armed", armed)
    with pytest.raises(failpoints.FailpointReached):
        stock.expire_holds(most=10)
    assert shop.levels(cup) == level
    stock.expire_holds(most=10)
    assert shop.levels(cup) == (10, 0)
    assert facade.audit_stock() == []
