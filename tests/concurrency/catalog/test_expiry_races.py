"""The clock against everybody else: each hold ends once, and the books agree."""

import pytest
from django.db import transaction

from apps.catalog import facade, stock
from apps.catalog.enums import LedgerKind
from apps.catalog.models import Reservation, StockLedgerEntry
from apps.catalog.stock import sql
from apps.common.databases import execute
from tests.concurrency.catalog.threads import failures, together
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(transaction=True, databases=["catalog"])
HOLDS = 20


def holds(product_id, count: int = HOLDS) -> list:
    """Live reservations of one piece each whose time is over."""
    commands = [shop.reserve((product_id, 1)) for _ in range(count)]
    facade.reserve_stock(commands)
    execute("catalog", "UPDATE catalog_reservation SET expires_at = now() - interval '1 second'")
    return commands


def ended(kind: LedgerKind) -> int:
    return StockLedgerEntry.objects.filter(kind=kind).count()


def test_two_clocks_release_each_hold_once():
    cup = shop.product(HOLDS)
    holds(cup)
    answers = together(*[lambda: stock.expire_holds(most=HOLDS)] * 4)
    assert failures(answers) == []
    assert sum(one.holds for one in answers) == HOLDS
    assert ended(LedgerKind.RELEASED) == HOLDS
    assert shop.levels(cup) == (HOLDS, 0)
    assert facade.audit_stock() == []


@pytest.mark.parametrize("end", ["dispatch", "release"])
def test_the_clock_and_the_orders_own_end_meet(end):
    """Whoever comes first ends the hold; the other finds nothing of it."""
    cup = shop.product(HOLDS)
    commands = holds(cup)
    messages = [getattr(shop, end)(one) for one in commands]
    send = getattr(facade, f"{end}_stock")
    answers = together(
        *[lambda: stock.expire_holds(most=5)] * 4,
        *[lambda part=messages[start::4]: send(part) for start in range(4)],
    )
    assert failures(answers) == []
    moved = sum(one.quantity for results in answers[4:] for one in results)
    assert sum(one.holds for one in answers[:4]) + moved == HOLDS
    sold = ended(LedgerKind.SOLD)
    assert (sold, ended(LedgerKind.RELEASED)) == (
        (moved, HOLDS - moved) if end == "dispatch" else (0, HOLDS)
    )
    assert shop.levels(cup) == (HOLDS - sold, 0)
    assert facade.audit_stock() == []


def test_what_the_clock_frees_is_reserved_by_the_next_once():
    cup = shop.product(HOLDS)
    holds(cup)
    buyers = [shop.reserve((cup, 1)) for _ in range(HOLDS)]
    answers = together(
        lambda: stock.expire_holds(most=HOLDS),
        *[lambda part=buyers[start::4]: facade.reserve_stock(part) for start in range(4)],
    )
    assert failures(answers) == []
    won = sum(one.status == "reserved" for results in answers[1:] for one in results)
    assert shop.levels(cup) == (HOLDS, won)
    assert facade.audit_stock() == []


def test_a_hold_that_is_being_kept_is_passed_over():
    """Who turns a hold into an order's reservation has its lock: the clock does not wait for it."""
    cup = shop.product(2)
    kept, _ = holds(cup, 2)
    with transaction.atomic(using="catalog"):
        [row] = sql.lock_live_reservations([kept.order_id])
        [answer] = together(lambda: stock.expire_holds(most=10))
        assert answer.holds == 1
        execute(
            "catalog", "UPDATE catalog_reservation SET expires_at = NULL WHERE id = %s", [row.pk]
        )
    assert stock.expire_holds(most=10).holds == 0
    assert Reservation.objects.get(pk=row.pk).status == "live"
    assert shop.levels(cup) == (2, 1)
    assert facade.audit_stock() == []


def test_control_a_clock_without_locks_breaks_on_a_hold_that_ends_meanwhile(monkeypatch):
    cup = shop.product(1)
    [command] = holds(cup, 1)

    def unlocked(most: int) -> list[sql.LiveReservation]:
        rows = sql.fetch_all(
            "catalog", "SELECT id, order_id, product_id, quantity FROM catalog_reservation"
        )
        facade_answers = together(lambda: facade.dispatch_stock([shop.dispatch(command)]))
        assert failures(facade_answers) == []
        return [sql.LiveReservation(*row) for row in rows]

    monkeypatch.setattr(sql, "lock_expired_reservations", unlocked)
    with pytest.raises(sql.StockMoved):  # the guards refuse; with the lock it comes not so far
        stock.expire_holds(most=1)
    assert facade.audit_stock() == []
