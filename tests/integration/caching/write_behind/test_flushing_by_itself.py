"""Who flushes: tasks that are nudged, the poller that finds what nobody was told of, and drains
that wait their turn."""

import threading
import time

import pytest
from django.db import OperationalError

from apps.caching import tasks
from apps.caching.write_behind import backlog, drain, flush, leases, polling, put, registry
from apps.caching.write_behind.connections import client
from apps.caching.write_behind.layout import nudged
from apps.caching.write_behind.leases import Lease
from tests.integration.caching.write_behind.table import change

pytestmark = pytest.mark.django_db(databases=["catalog"])


@pytest.fixture
def buffer(table, monkeypatch):
    """Registered, with one shard."""
    one = table.buffer(shards=1)
    monkeypatch.setattr(registry, "_buffers", {one.name: one})
    return one


def test_the_task_flushes_and_lets_others_nudge_again(table, buffer, sent):
    put(buffer, [change("k", a="1")])
    assert client().exists(nudged(buffer, 0))
    assert tasks.flush_shard(buffer.name, 0) == 1
    assert table.rows() == {"k": ("1", None)}
    put(buffer, [change("k", a="2")])
    assert sent == [(buffer.name, 0)] * 2


def test_the_task_says_so_while_the_database_is_away(table, buffer, monkeypatch):
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)  # the test's own

    def away():
        raise OperationalError("the database is away")

    put(buffer, [change("k", a="1")])
    table.before = away
    assert tasks.flush_shard(buffer.name, 0) == 0
    assert backlog(buffer).keys == 1


def test_the_task_yields_after_its_turn_and_calls_the_next(buffer, monkeypatch):
    nudges = []
    monkeypatch.setattr(tasks, "nudge", lambda *words: nudges.append(words))
    monkeypatch.setattr(tasks, "TURN_SECONDS", 0.0)
    put(buffer, [change("k", a="1")])
    assert tasks.flush_shard(buffer.name, 0) == 1
    assert nudges == [(buffer.name, 0)]


def test_the_poller_nudges_where_something_waits_and_nobody_is_on_the_way(buffer, monkeypatch):
    nudges = []
    monkeypatch.setattr(polling, "nudge", lambda *words: nudges.append(words))
    polling.look()
    assert nudges == []
    put(buffer, [change("k", a="1")])
    polling.look()
    assert nudges == []  # put has told somebody
    client().delete(nudged(buffer, 0))
    polling.look()
    polling.look()
    assert nudges == [(buffer.name, 0)]


def test_a_flush_leaves_a_shard_to_whoever_has_it(buffer):
    put(buffer, [change("k", a="1")])
    lease = Lease(buffer, 0)
    assert lease.acquire()
    assert flush(buffer, 0) == 0
    lease.release()
    assert flush(buffer, 0) == 1


def test_a_drain_waits_its_turn(table, buffer):
    put(buffer, [change("k", a="1")])
    lease = Lease(buffer, 0)
    assert lease.acquire()
    threading.Timer(0.1, lease.release).start()
    began = time.monotonic()
    assert drain(buffer, ["k"], seconds=20) == 1
    assert 0.05 < time.monotonic() - began < 10
    assert table.rows() == {"k": ("1", None)}


def test_a_drain_does_not_wait_for_the_dead(table, buffer):
    put(buffer, [change("k", a="1")])
    assert Lease(buffer, 0).acquire()
    assert drain(buffer, ["k"], seconds=0.05) == 1
    assert table.rows() == {"k": ("1", None)}


def test_a_flusher_hears_that_somebody_waits(buffer):
    mine, other = Lease(buffer, 0), Lease(buffer, 0)
    assert mine.acquire()
    assert not other.wait(time.monotonic() + 0.02)
    assert mine.release()


def test_a_lost_lease_is_not_given_back(buffer, monkeypatch):
    monkeypatch.setattr(leases, "LEASE_MS", 1)
    mine, other = Lease(buffer, 0), Lease(buffer, 0)
    assert mine.acquire()
    monkeypatch.setattr(leases, "LEASE_MS", 60_000)
    assert other.wait(time.monotonic() + 5)
    assert not mine.renew()
    mine.release()
    assert other.renew()
