"""Ids come in the order of inserting, rows appear in the order of committing: none is skipped."""

import random
import threading
import time

import pytest
from django.db import connections, transaction

from apps.common.databases import fetch_all
from apps.messaging.outbox import Event, append
from apps.messaging.relay.lane import Lane
from tests.integration.messaging.events import NOTED, Moody, Note, outbox
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])
WRITERS, TRANSACTIONS, EVENTS = 8, 12, 4


def write(writer: int) -> None:
    """Long transactions; the events of an aggregate are in their order."""
    rng = random.Random(writer)
    version = 0
    for _ in range(TRANSACTIONS):
        with transaction.atomic(using="orders"):
            for _ in range(EVENTS):
                version += 1
                append("orders", [Event(NOTED, f"w{writer}", version, Note(""))])
                time.sleep(rng.uniform(0, 0.01))
    connections.close_all()


class Cursor:
    """The control: reads on from the last id it saw."""

    def __init__(self, stop: threading.Event):
        self.stop, self.last, self.seen = stop, 0, 0

    def run(self) -> None:
        while not self.stop.wait(0.005):
            self.read()
        self.read()
        connections.close_all()

    def read(self) -> None:
        rows = fetch_all(
            "orders", "SELECT id FROM messaging_outbox WHERE id > %s ORDER BY id", [self.last]
        )
        if rows:
            self.last, self.seen = rows[-1][0], self.seen + len(rows)


def test_with_writers_in_long_transactions_nothing_is_skipped():
    stop, broker = threading.Event(), Moody()
    cursor = Cursor(stop)
    readers = [
        threading.Thread(target=Lane("orders", broker, stop).run),
        threading.Thread(target=cursor.run),
    ]
    writers = [threading.Thread(target=write, args=[number]) for number in range(WRITERS)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    total = WRITERS * TRANSACTIONS * EVENTS
    try:
        eventually(lambda: all(published for _, published, _ in outbox().values()))
    finally:
        stop.set()
        for thread in readers:
            thread.join()
    assert (len(broker.got), len(set(broker.got))) == (total, total)
    for number in range(WRITERS):
        of_one = [int(one.split()[1]) for one in broker.got if one.startswith(f"w{number} ")]
        assert of_one == list(range(1, TRANSACTIONS * EVENTS + 1))
    assert cursor.seen < total  # the control skipped some
