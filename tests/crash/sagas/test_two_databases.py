"""Why there are sagas: two commits, and a kill between them.

The naive program commits one database and then the other; killed in between it leaves a sale that
nobody ever puts right. The engine is killed at the same place, and the next holder ends what it
began.
"""

import os
import signal
import subprocess
import sys

import pytest

from apps.orders.models import Order
from apps.sagas.engine.driver import drive_batch
from tests.processes import ROOT, eventually
from tests.trade import Trade, axes, drive_all, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

NAIVE = """
import sys, uuid, django
django.setup()
from django.db import transaction
from apps.catalog import facade as catalog
from apps.catalog.contracts import ReserveStock, StockLine
from apps.orders.models import Order
from tests.trade import ADDRESS

customer_id, product_id, first = sys.argv[1:]
order_id = uuid.uuid4()

def sell():
    with transaction.atomic(using="orders"):
        order = Order.objects.create(
            id=order_id, customer_id=customer_id, saga_id=uuid.uuid4(), status="confirmed",
            currency="GBP", goods_total=19, shipping_total=0, total=19, address={},
            placed_at="2026-11-20T12:00:00Z",
        )
        order.lines.create(
            position=1, product_id=product_id, sku="MUG", name="Mug", unit_price="9.50", quantity=2
        )

def reserve():
    line = StockLine(uuid.UUID(product_id), 2)
    catalog.reserve_stock([ReserveStock(f"{order_id}:naive", order_id, (line,))])

both = [sell, reserve] if first == "orders" else [reserve, sell]
both[0]()
print("between", flush=True)
sys.stdin.readline()  # and here it is killed
both[1]()
"""
ENGINE = (
    "import django; django.setup(); from apps.sagas.engine.driver import drive_batch; drive_batch()"
)


@pytest.fixture
def program(shop):
    """Starts ``code`` as a process of its own on the databases of the test."""
    started = []

    def program(code: str, *words: str, **environment: str) -> subprocess.Popen:
        environment = os.environ | shop.environment | environment
        environment |= {"DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONPATH": str(ROOT)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", code, *words], cwd=ROOT, env=environment, text=True, **pipes
            )
        )
        return started[-1]

    yield program
    for one in started:
        one.kill()
        one.communicate()


@pytest.mark.parametrize(
    ("first", "torn"),
    [
        ("orders", {"sold": 1, "reserved": 0}),  # sold, and nothing is put aside for it
        ("catalog", {"sold": 0, "reserved": 2}),  # put aside for a sale that never was
    ],
)
def test_a_program_that_commits_twice_is_torn_by_a_kill_in_between(program, first, torn):
    trade = Trade()
    naive = program(NAIVE, str(trade.customer_id), str(trade.products["MUG"]), first)
    assert naive.stdout.readline() == "between\n"
    naive.send_signal(signal.SIGKILL)
    assert naive.wait(20) == -signal.SIGKILL
    drive_all()  # there is nothing to be driven: nobody knows of it
    left = {"sold": Order.objects.count(), "reserved": trade.levels()["MUG"][1]}
    assert left == torn
    assert violations() != {}


def test_the_engine_killed_between_the_same_two_commits_ends_what_it_began(program):
    trade = Trade()
    placed = trade.place(MUG=2)
    between = "catalog.reserve.after_commit:1:kill"
    engine = program(ENGINE, FAILPOINTS_ENABLED="on", FAILPOINT=between, SAGA_LEASE_SECONDS="1")
    assert engine.wait(30) == -signal.SIGKILL
    assert axes(placed.order_id)[0] == "pending"  # torn, but somebody will come …
    assert trade.levels()["MUG"] == (100, 2)
    eventually(drive_batch)  # … once the lease is over
    drive_all()
    assert axes(placed.order_id) == ("confirmed", "captured", "scheduled")
    assert trade.levels()["MUG"] == (100, 2)
    assert violations() == {}
