"""One expired key under two hundred readers: one load of the database."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from apps.caching import connections as redises
from apps.caching.keys import Key
from apps.common.databases import execute, fetch_one
from tests.concurrency.caching import forked
from tests.integration.caching.conftest import ALIAS
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases=[ALIAS])
PROCESSES, THREADS = 4, 50


def slow_load(ids: Sequence[str]) -> dict[str, str]:
    """Takes a while, and counts itself where all processes see it."""
    execute(ALIAS, "UPDATE caching_test SET word = word::int + 1 WHERE name = 'loads'")
    execute(ALIAS, "SELECT pg_sleep(0.05)")
    return {one: f"the {one}" for one in ids}


@pytest.fixture
def hot(make, table, settings):
    settings.CACHE_TIMEOUT_SECONDS = 30.0  # so many on so few cores
    settings.CACHE_LEASE_MS = 60_000
    table.put("loads", "0")
    strategy = make(load=slow_load, wait=30.0)
    assert strategy.get("hot") == "the hot"
    table.put("loads", "0")
    expire(strategy)
    return strategy


def expire(strategy) -> None:
    key = Key(strategy.resource.name, "hot")
    redises.client().pexpire(key.value, 1)
    eventually(lambda: not redises.client().exists(key.value), every=0.002)


def loads() -> int:
    return int(fetch_one(ALIAS, "SELECT word FROM caching_test WHERE name = 'loads'")[0])


def read_together(read: Callable[[], object], meet: Callable[[], object]) -> list[object]:
    def run() -> object:
        try:
            meet()
            return read()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return [one.result() for one in [pool.submit(run) for _ in range(THREADS)]]


def test_two_hundred_readers_in_four_processes_load_once(hot):
    ready = forked.context.Barrier(PROCESSES, timeout=60)
    wrong = forked.context.Value("i", 0)

    def process() -> None:
        threads = threading.Barrier(THREADS, action=ready.wait, timeout=60)
        got = read_together(lambda: hot.get("hot"), threads.wait)
        with wrong.get_lock():
            wrong.value += sum(one != "the hot" for one in got)

    children = [forked.start(process) for _ in range(PROCESSES)]
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * PROCESSES
    assert (loads(), wrong.value) == (1, 0)


def test_beside_a_writer_readers_of_one_process_take_turns(hot, table):
    """Nothing may be kept, but what one loads is for all who came before it began."""
    with hot.writing(ALIAS, ["hot"]):
        barrier = threading.Barrier(THREADS, timeout=60)
        assert set(read_together(lambda: hot.get("hot"), barrier.wait)) == {"the hot"}
    assert 1 <= loads() <= 10


def test_whoever_waits_too_long_reads_for_itself(make, hot):
    redises.client().set(Key(hot.resource.name, "hot").lease, "somebody who died", px=60_000)
    impatient = make(load=slow_load, wait=0.05)
    assert impatient.get("hot") == "the hot"
    assert loads() == 1
    assert not redises.client().exists(Key(hot.resource.name, "hot").value)
