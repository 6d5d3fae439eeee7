"""Two consumers of the group at once: the sums are as if one had come after the other."""

import threading

import pytest
from django.db import connections, transaction

from apps.common.databases import fetch_one
from apps.common.ids import new_id
from apps.reporting.enums import DATABASE
from apps.reporting.projecting import applying
from tests.integration.reporting.told import AnOrder, apply, category, customer, product, sales

pytestmark = pytest.mark.django_db(transaction=True, databases=[DATABASE])
ANN, MUG, KITCHEN, GARDEN = (new_id() for _ in range(4))


def test_an_order_sold_while_its_product_moves_is_counted_where_the_product_is():
    order = AnOrder(ANN, [(MUG, "4.20", 1)])
    apply([customer(ANN, "Ann"), category(KITCHEN, "K"), category(GARDEN, "G")])
    apply([product(MUG, "Mug", KITCHEN)])
    begun, errors = threading.Event(), []

    def sell() -> None:
        try:
            with transaction.atomic(using=DATABASE):
                pids.append(fetch_one(DATABASE, "SELECT pg_backend_pid()")[0])
                begun.set()
                applying.project(order.life())
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)
        finally:
            connections.close_all()

    pids: list[int] = []
    seller = threading.Thread(target=sell)
    with transaction.atomic(using=DATABASE):
        applying.project([product(MUG, "Mug", GARDEN, version=2)])
        seller.start()
        assert begun.wait(20)
        while seller.is_alive() and not waits(pids[0]):
            seller.join(0.01)
    seller.join(20)

    assert errors == []
    assert {key: row[:2] for key, row in sales("category").items()} == {str(GARDEN): (1, 1)}


def waits(pid: int) -> bool:
    """Whether that connection waits for somebody's lock."""
    row = fetch_one(
        DATABASE, "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", [pid]
    )
    return bool(row and row[0])
