"""Reserving, releasing and dispatching on the real database, one rule at a time."""

from uuid import uuid4

import pytest

from apps.catalog import facade
from apps.catalog.contracts import ReserveResult, ReserveStatus, Shortage, StockResult
from apps.catalog.models import Product, Reservation
from apps.common.errors import Conflict, InvalidInput
from apps.messaging.models import Inbox
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["catalog"])


def test_reserving_promises_all_lines_and_writes_the_ledger():
    cup, pot = shop.product(10), shop.product(3)
    command = shop.reserve((cup, 4), (pot, 3))
    assert facade.reserve_stock([command]) == [ReserveResult(command.key, ReserveStatus.RESERVED)]
    assert (shop.levels(cup), shop.levels(pot)) == ((10, 4), (3, 3))
    assert shop.ledger(cup) == [("received", 10, 0), ("reserved", 0, 4)]
    assert shop.ledger(pot) == [("received", 3, 0), ("reserved", 0, 3)]
    assert set(
        Reservation.objects.values_list("order_id", "product__public_id", "quantity", "status")
    ) == {(command.order_id, cup, 4, "live"), (command.order_id, pot, 3, "live")}
    assert facade.audit_stock() == []


def test_an_order_short_of_one_line_gets_none():
    cup, pot = shop.product(10), shop.product(2)
    command = shop.reserve((cup, 4), (pot, 3))
    assert facade.reserve_stock([command]) == [
        ReserveResult(command.key, ReserveStatus.SHORT, (Shortage(pot, 3, 2),))
    ]
    assert (shop.levels(cup), shop.levels(pot)) == ((10, 0), (2, 0))
    assert not Reservation.objects.exists()


def test_the_same_product_twice_in_an_order_counts_with_its_sum():
    cup = shop.product(5)
    enough, too_much = shop.reserve((cup, 2), (cup, 1)), shop.reserve((cup, 1), (cup, 2))
    results = facade.reserve_stock([enough, too_much])
    assert [one.status for one in results] == [ReserveStatus.RESERVED, ReserveStatus.SHORT]
    assert results[1].short == (Shortage(cup, 3, 2),)
    assert shop.levels(cup) == (5, 3)
    assert shop.ledger(cup) == [("received", 5, 0), ("reserved", 0, 3)]


def test_a_batch_is_decided_in_the_given_order_and_a_short_order_takes_nothing_from_the_next():
    cup, pot = shop.product(5), shop.product(1)
    first, hungry, last = (
        shop.reserve((cup, 3)),
        shop.reserve((cup, 2), (pot, 2)),
        shop.reserve((cup, 2), (pot, 1)),
    )
    results = facade.reserve_stock([first, hungry, last])
    assert [one.status for one in results] == [
        ReserveStatus.RESERVED,
        ReserveStatus.SHORT,
        ReserveStatus.RESERVED,
    ]
    assert (shop.levels(cup), shop.levels(pot)) == ((5, 5), (1, 1))


def test_an_unknown_or_deleted_product_is_short_of_everything():
    gone, unknown = shop.product(9), uuid4()
    Product.objects.get(public_id=gone).delete()
    results = facade.reserve_stock([shop.reserve((gone, 1)), shop.reserve((unknown, 2))])
    assert [one.short for one in results] == [
        (Shortage(gone, 1, 0),),
        (Shortage(unknown, 2, 0),),
    ]
    assert shop.levels(gone) == (9, 0)


def test_a_repeated_key_gets_the_stored_answer_and_moves_nothing():
    cup = shop.product(3)
    taken, short = shop.reserve((cup, 2)), shop.reserve((cup, 2))
    answers = facade.reserve_stock([taken, short])
    assert [one.status for one in answers] == [ReserveStatus.RESERVED, ReserveStatus.SHORT]
    shop.facade.receive_stock([shop.ReceiveStock("more", cup, 10)])
    assert facade.reserve_stock([short, taken]) == answers[::-1]
    assert shop.levels(cup) == (13, 2)


def test_a_repeat_inside_one_batch_counts_once():
    cup = shop.product(3)
    command = shop.reserve((cup, 2))
    first, again = facade.reserve_stock([command, command])
    assert first == again
    assert shop.levels(cup) == (3, 2)


@pytest.mark.parametrize("together", [True, False])
def test_a_key_used_for_another_request_is_an_error_and_nothing_moves(together):
    cup = shop.product(9)
    one, other = shop.reserve((cup, 2), key="k"), shop.reserve((cup, 3), key="k")
    batches = [[one, other]] if together else [[one], [other]]
    with pytest.raises(Conflict) as caught:
        for batch in batches:
            facade.reserve_stock(batch)
    assert caught.value.code == "key_reused"
    assert shop.levels(cup) == (9, 0 if together else 2)


def test_a_line_of_nothing_is_refused_with_the_whole_batch():
    cup = shop.product(9)
    with pytest.raises(InvalidInput) as caught:
        facade.reserve_stock([shop.reserve((cup, 1)), shop.reserve((cup, 1), (cup, 0))])
    assert caught.value.errors[0].field == "lines[1].quantity"
    assert shop.levels(cup) == (9, 0)
    assert not Inbox.objects.using("catalog").exists()


def test_an_empty_batch_does_nothing():
    assert facade.reserve_stock([]) == []
    assert facade.release_stock([]) == []
    assert facade.dispatch_stock([]) == []


def test_releasing_frees_the_pieces_once():
    cup, pot = shop.product(10), shop.product(3)
    command, other = shop.reserve((cup, 4), (pot, 3)), shop.reserve((cup, 1))
    facade.reserve_stock([command, other])
    release = shop.release(command)
    assert facade.release_stock([release]) == [StockResult(release.key, 7)]
    assert facade.release_stock([release]) == [StockResult(release.key, 7)]
    assert (shop.levels(cup), shop.levels(pot)) == ((10, 1), (3, 0))
    assert shop.ledger(pot) == [("received", 3, 0), ("reserved", 0, 3), ("released", 0, -3)]
    assert dict(facade.live_reservations_by_order()) == {other.order_id: 1}
    again = shop.release(command, key="another release")
    assert facade.release_stock([again]) == [StockResult("another release", 0)]
    assert facade.audit_stock() == []


def test_a_release_before_its_reservation_fences_it_off():
    cup = shop.product(10)
    command = shop.reserve((cup, 4))
    release = shop.release(command)
    assert facade.release_stock([release]) == [StockResult(release.key, 0)]
    for _ in range(2):
        [late] = facade.reserve_stock([command])
        assert late == ReserveResult(command.key, ReserveStatus.CANCELLED)
    assert shop.levels(cup) == (10, 0)
    assert shop.ledger(cup) == [("received", 10, 0)]


def test_releasing_a_short_order_keeps_its_answer():
    cup = shop.product(1)
    command = shop.reserve((cup, 4))
    [short] = facade.reserve_stock([command])
    assert facade.release_stock([shop.release(command)])[0].quantity == 0
    assert facade.reserve_stock([command]) == [short]


def test_dispatching_turns_reserved_into_sold_once():
    cup = shop.product(10)
    command = shop.reserve((cup, 4))
    facade.reserve_stock([command])
    dispatch = shop.dispatch(command)
    for _ in range(2):
        assert facade.dispatch_stock([dispatch]) == [StockResult(dispatch.key, 4)]
    assert shop.levels(cup) == (6, 0)
    assert shop.ledger(cup)[-1] == ("sold", -4, -4)
    assert facade.release_stock([shop.release(command)])[0].quantity == 0
    assert shop.levels(cup) == (6, 0)
    assert list(facade.live_reservations_by_order()) == []
    assert facade.audit_stock() == []


def test_a_batch_of_ends_moves_each_order_once():
    cup = shop.product(10)
    commands = [shop.reserve((cup, quantity)) for quantity in (1, 2, 3)]
    facade.reserve_stock(commands)
    twice = [shop.dispatch(commands[0]), shop.dispatch(commands[0], key="again")]
    results = facade.dispatch_stock([*twice, shop.dispatch(commands[2])])
    assert [one.quantity for one in results] == [1, 0, 3]
    assert shop.levels(cup) == (6, 2)
