"""Nothing is oversold, applied twice or left behind, however the transactions meet."""

import threading
from collections import Counter

import pytest
from django.db import IntegrityError, OperationalError, transaction

from apps.catalog import facade
from apps.catalog.contracts import AdjustStock, ReceiveStock, ReserveStatus
from apps.catalog.models import Reservation, StockItem, StockLedgerEntry
from apps.catalog.stock import sql
from apps.common.errors import HoldfastError
from apps.messaging import idempotency, inbox
from tests.concurrency.catalog.threads import failures, together
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(transaction=True, databases=["catalog"])
BUYERS, LEFT = 40, 5


def statuses(answers) -> Counter:
    assert failures(answers) == []
    return Counter(one.status for results in answers for one in results)


class TestTheLastItems:
    def test_forty_buyers_of_the_last_five_get_exactly_five(self):
        cup = shop.product(LEFT)
        orders = [shop.reserve((cup, 1)) for _ in range(BUYERS)]
        answers = together(*[lambda one=one: facade.reserve_stock([one]) for one in orders])
        assert statuses(answers) == {
            ReserveStatus.RESERVED: LEFT,
            ReserveStatus.SHORT: BUYERS - LEFT,
        }
        assert shop.levels(cup) == (LEFT, LEFT)
        assert Reservation.objects.count() == LEFT
        assert facade.audit_stock() == []

    def test_control_reading_first_and_writing_unguarded_oversells(self):
        cup = shop.product(LEFT)
        have_read = threading.Barrier(BUYERS, timeout=20)

        def naive(order) -> bool:
            with transaction.atomic(using="catalog"):
                item = StockItem.objects.get(product__public_id=cup)
                have_read.wait()
                if item.available < 1:
                    return False
                item.reserved += 1
                item.save()
                Reservation.objects.create(order_id=order.order_id, product_id=item.pk, quantity=1)
                return True

        orders = [shop.reserve((cup, 1)) for _ in range(BUYERS)]
        answers = together(*[lambda one=one: naive(one) for one in orders])
        assert answers == [True] * BUYERS
        assert {one.check for one in facade.audit_stock()} == {
            "stock_reservations",
            "stock_ledger",
        }

    def test_batches_that_compete_for_the_last_items_share_them_exactly(self):
        cup, pot = shop.product(30), shop.product(1_000)
        batches = [[shop.reserve((pot, 1), (cup, 2)) for _ in range(10)] for _ in range(4)]
        answers = together(*[lambda one=one: facade.reserve_stock(one) for one in batches])
        assert statuses(answers) == {ReserveStatus.RESERVED: 15, ReserveStatus.SHORT: 25}
        assert (shop.levels(cup), shop.levels(pot)) == ((30, 30), (1_000, 15))


class TestDeadlocks:
    def test_batches_with_crossing_products_never_deadlock(self):
        cup, pot = shop.product(10_000), shop.product(10_000)

        def orders(*lines):
            batch = [shop.reserve(*lines) for _ in range(5)]
            ended = batch[:2], batch[2:]
            facade.reserve_stock(batch)
            facade.release_stock([shop.release(one) for one in ended[0]])
            facade.dispatch_stock([shop.dispatch(one) for one in ended[1]][::-1])

        def run(*lines):
            for _ in range(10):
                orders(*lines)

        answers = together(*[lambda: run((cup, 1), (pot, 1)), lambda: run((pot, 1), (cup, 1))] * 3)
        assert failures(answers) == []
        assert shop.levels(cup) == shop.levels(pot) == (10_000 - 6 * 10 * 3, 0)
        assert facade.audit_stock() == []

    def test_control_locking_in_the_order_of_the_lines_deadlocks(self, monkeypatch):
        cup, pot = shop.product(10), shop.product(10)
        in_order = sql.lock_items
        holds_first = threading.Barrier(2, timeout=20)

        def one_by_one(product_ids):
            first = cup if threading.current_thread().name == "cup first" else pot
            locked = in_order([first])
            holds_first.wait()
            return locked | in_order([one for one in product_ids if one != first])

        def buy(name: str):
            threading.current_thread().name = name
            return facade.reserve_stock([shop.reserve((cup, 1), (pot, 1))])

        monkeypatch.setattr(sql, "lock_items", one_by_one)
        answers = together(lambda: buy("cup first"), lambda: buy("pot first"))
        [failure] = failures(answers)
        assert isinstance(failure, OperationalError)
        assert "deadlock detected" in str(failure)


class TestTheSameKeyTwice:
    @pytest.fixture
    def no_inbox(self, monkeypatch):
        monkeypatch.setattr(
            inbox,
            "admit",
            lambda alias, consumer, keys, presumed=None: inbox.Admission(frozenset(keys), {}),
        )
        monkeypatch.setattr(inbox, "settle", lambda alias, consumer, outcomes, presumed=None: None)

    def deliver(self, command, times: int = 8) -> list:
        return together(*[lambda: facade.reserve_stock([command])] * times)

    def test_a_command_delivered_to_many_at_once_applies_once(self):
        cup = shop.product(100)
        answers = self.deliver(shop.reserve((cup, 3)))
        assert statuses(answers) == {ReserveStatus.RESERVED: 8}
        assert shop.levels(cup) == (100, 3)
        assert shop.ledger(cup) == [("received", 100, 0), ("reserved", 0, 3)]

    def test_a_command_delivered_again_after_its_release_does_nothing(self):
        cup = shop.product(100)
        command = shop.reserve((cup, 3))
        facade.reserve_stock([command])
        facade.release_stock([shop.release(command)])
        assert statuses(self.deliver(command)) == {ReserveStatus.RESERVED: 8}
        assert shop.levels(cup) == (100, 0)

    def test_control_without_the_inbox_it_applies_twice(self, no_inbox):
        cup = shop.product(100)
        command = shop.reserve((cup, 3))
        facade.reserve_stock([command])
        facade.release_stock([shop.release(command)])
        facade.reserve_stock([command])
        assert shop.levels(cup) == (100, 3)
        assert shop.ledger(cup)[1:] == [
            ("reserved", 0, 3),
            ("released", 0, -3),
            ("reserved", 0, 3),
        ]

    def test_even_without_the_inbox_an_order_holds_a_product_once(self, no_inbox):
        cup = shop.product(100)
        answers = self.deliver(shop.reserve((cup, 3)), times=2)
        [failure] = failures(answers)
        assert isinstance(failure, IntegrityError) and "reservation_live_once" in str(failure)
        assert shop.levels(cup) == (100, 3)

    def test_a_double_click_adjusts_once(self):
        cup = shop.product(100)
        command = AdjustStock("click", "staff:1", cup, -3, "broken")
        answers = together(*[lambda: facade.adjust_stock(command)] * 8)
        assert all(isinstance(one, idempotency.StillRunning) for one in failures(answers))
        assert facade.adjust_stock(command).on_hand == 97
        assert shop.levels(cup) == (97, 0)
        assert StockLedgerEntry.objects.filter(kind="adjusted").count() == 1

    def test_control_without_the_record_each_click_adjusts(self, monkeypatch):
        monkeypatch.setattr(idempotency, "once", lambda *args: args[-1]())
        cup = shop.product(100)
        command = AdjustStock("click", "staff:1", cup, -3, "broken")
        assert failures(together(*[lambda: facade.adjust_stock(command)] * 4)) == []
        assert shop.levels(cup) == (88, 0)

    def test_a_delivery_booked_by_many_at_once_comes_in_once(self):
        cup, pot = shop.product(), shop.product()
        goods = [ReceiveStock("delivery", cup, 7), ReceiveStock("delivery", pot, 9)]
        answers = together(
            *[lambda: facade.receive_stock(goods), lambda: facade.receive_stock(goods[::-1])] * 3
        )
        assert sorted(answers) == [0, 0, 0, 0, 0, 16]
        assert (shop.levels(cup), shop.levels(pot)) == ((7, 0), (9, 0))


class TestReservingAgainstEnding:
    def test_a_release_that_meets_its_reservation_leaves_nothing_live(self):
        cup = shop.product(1_000)
        commands = [shop.reserve((cup, 1)) for _ in range(60)]
        ends = [shop.release(one) for one in commands]
        chunks = range(0, 60, 15)
        answers = together(
            *[lambda n=n: facade.reserve_stock(commands[n : n + 15]) for n in chunks],
            *[lambda n=n: facade.release_stock(ends[n : n + 15]) for n in chunks],
        )
        assert failures(answers) == []
        assert shop.levels(cup) == (1_000, 0)
        assert list(facade.live_reservations_by_order()) == []
        assert facade.audit_stock() == []

    def test_control_without_the_fence_a_late_reservation_stays_for_ever(self, monkeypatch):
        monkeypatch.setattr(inbox, "fence", lambda *args: frozenset())
        cup = shop.product(10)
        command = shop.reserve((cup, 4))
        facade.release_stock([shop.release(command)])
        facade.reserve_stock([command])
        assert shop.levels(cup) == (10, 4)

    def test_of_release_and_dispatch_exactly_one_moves_the_goods(self):
        cup = shop.product(100)
        commands = [shop.reserve((cup, 2)) for _ in range(20)]
        facade.reserve_stock(commands)
        answers = together(
            lambda: facade.release_stock([shop.release(one) for one in commands]),
            lambda: facade.dispatch_stock([shop.dispatch(one) for one in commands[::-1]]),
        )
        assert failures(answers) == []
        moved = {one.quantity for results in answers for one in results}
        assert moved == {0, 2}
        assert sum(one.quantity for results in answers for one in results) == 40
        on_hand, reserved = shop.levels(cup)
        assert reserved == 0 and on_hand in range(60, 101, 2)
        assert facade.audit_stock() == []

    def test_counting_down_and_reserving_never_cross(self):
        cup = shop.product(10)
        buyers = [lambda: facade.reserve_stock([shop.reserve((cup, 1))])] * 10
        counters = [
            lambda n=n: facade.adjust_stock(AdjustStock(f"k{n}", "staff:1", cup, -1, "gone"))
            for n in range(10)
        ]
        answers = together(*buyers, *counters)
        assert all(isinstance(one, HoldfastError) for one in failures(answers))
        on_hand, reserved = shop.levels(cup)
        assert on_hand == reserved  # ten pieces, twenty who each want one
        assert facade.audit_stock() == []


class TestComingBack:
    def test_returns_and_sales_of_crossing_products_meet_without_deadlock_or_loss(self):
        cup, pot = shop.product(100), shop.product(100)
        back = [shop.give_back((cup, 1), (pot, 1)) for _ in range(10)]
        other = [shop.give_back((pot, 1), (cup, 1)) for _ in range(10)]
        wanted = [shop.reserve((pot, 1), (cup, 1)) for _ in range(10)]
        answers = together(
            *[lambda one=one: facade.return_stock([one]) for one in back],
            *[lambda one=one: facade.return_stock([one]) for one in back],  # each sent twice
            lambda: facade.return_stock(other),
            lambda: facade.reserve_stock(wanted),
        )
        assert failures(answers) == []
        assert (shop.levels(cup), shop.levels(pot)) == ((120, 10), (120, 10))
        assert facade.audit_stock() == []
