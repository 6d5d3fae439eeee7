"""A worker that nobody nudges, without beat and without the customers database, ends orders."""

import pytest

from apps.orders import facade as orders
from apps.sagas import nudge
from tests.processes import eventually
from tests.trade import Trade, axes

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
NOWHERE = "postgres://nobody@127.0.0.1:1/nothing"


def test_orders_finish_while_beat_and_the_customers_database_are_away(shop, gateway, monkeypatch):
    monkeypatch.setattr(nudge, "_publisher", Silent())
    trade = Trade()
    before = trade.place(MUG=1)
    worker = shop.worker(CUSTOMERS_DATABASE_URL=NOWHERE)
    eventually(lambda: orders.get_saga(before.saga_id).finished_at)
    later = trade.place(MUG=1, CUP=1)
    eventually(lambda: orders.get_saga(later.saga_id).finished_at)
    for placed in (before, later):
        assert axes(placed.order_id) == ("confirmed", "captured", "scheduled")
    assert worker.popen.poll() is None


class Silent:
    """Every nudge is lost."""

    def nudge(self) -> None:
        pass
