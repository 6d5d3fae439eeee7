"""The judge of a chaos run sees each kind of damage."""

from uuid import uuid4

import pytest

from apps.common.databases import execute
from tests.trade import Trade, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def accepted(judge):
    """Three orders at rest – confirmed, declined, short – and one confirmed."""
    trade = Trade()
    placed = [
        trade.place(MUG=2),
        trade.place(card="tok_decline"),
        trade.place(MUG=1, CUP=101),
        trade.place(CUP=1),
    ]
    drive_all()
    return {one.order_id: f"key-{number}" for number, one in enumerate(placed)}


def damages(books, accepted) -> list[str]:
    return list(books.violations(accepted))


# One after the other, and what each of them adds to what is seen.
DAMAGE = [
    ("catalog", "UPDATE catalog_stockitem SET on_hand = on_hand + 1", "on hand (book"),
    ("catalog", "DELETE FROM catalog_reservation", "does not hold"),
    ("orders", "UPDATE orders_order SET goods_total = 1, total = 1", "due"),
    ("orders", "DELETE FROM shipping_shipment", "has 0 parcels"),
    ("orders", "DELETE FROM messaging_outbox WHERE topic = 'order.confirmed'", "was not told"),
    ("orders", "UPDATE messaging_outbox SET topic = 'order.placed'", "was told 2 times"),
    ("orders", "UPDATE orders_order SET status = 'shipped'", "did not sell"),
    ("orders", "UPDATE orders_order SET status = 'cancelled'", "its payment captured"),
    ("orders", "UPDATE sagas_sagarun SET lease_token = 7", "held under a lease"),
    ("orders", "TRUNCATE payments_payment, payments_paymententry", "of no order"),
]


def test_every_kind_of_damage_is_seen(judge, accepted):
    assert damages(judge, accepted) == []
    assert judge.live_runs() == judge.parked_runs() == []
    for database, damage, seen in DAMAGE:
        assert not any(seen in one for one in damages(judge, accepted)), seen
        execute(database, damage)
        assert any(seen in one for one in damages(judge, accepted)), seen


def test_lost_and_unknown_orders_are_seen(judge, accepted):
    lost, unknown = uuid4(), min(accepted)
    key = accepted.pop(unknown)
    found = damages(judge, accepted | {lost: "lost-1"})
    assert f"order {lost} (lost-1) was accepted and does not exist" in found
    assert f"order {unknown} exists and nobody was told of it" in found
    assert "one key has two orders" in damages(judge, dict.fromkeys(accepted, key))
