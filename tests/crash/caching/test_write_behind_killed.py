"""A flusher dies before or after its commit, before or after it clears: the next one repeats it
without harm."""

import os
import signal
from dataclasses import replace

import pytest

from apps.caching.write_behind import (
    backlog,
    dead_letters,
    flush_now,
    leases,
    pending,
    put,
)
from tests.crash.failpoints.forks import forked
from tests.integration.caching.write_behind.conftest import sent, table  # noqa: F401 - fixtures
from tests.integration.caching.write_behind.table import change

pytestmark = pytest.mark.django_db(transaction=True, databases=["catalog"])


@pytest.fixture(autouse=True)
def short_leases(monkeypatch):
    monkeypatch.setattr(leases, "LEASE_MS", 50)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def flush_until_all_is_written(buffer) -> None:
    while backlog(buffer).keys:  # the dead one's lease ends by Redis's clock
        flush_now(buffer)


@pytest.mark.parametrize(
    "where", ["before_commit", "write_behind.before_clear:1", "write_behind.after_clear:1"]
)
def test_a_flusher_that_dies_leaves_nothing_undone_and_nothing_done_twice(table, where):  # noqa: F811
    buffer = table.buffer(shards=2)
    put(buffer, [change(f"k{n}", a="1") for n in range(20)])
    at_failpoint = where.startswith("write_behind")
    table.before = None if at_failpoint else die
    armed = f"{where}:kill" if at_failpoint else ""
    assert forked(lambda: flush_now(buffer), failpoint=armed) == -signal.SIGKILL
    table.before = None
    rows = table.rows()
    if where == "before_commit":
        assert (rows, backlog(buffer).keys) == ({}, 20)
    elif "before_clear" in where:
        assert rows and backlog(buffer).keys == 20
    else:
        assert len(rows) + backlog(buffer).keys == 20
    # Somebody changes what is written and still pending: that must not be lost either.
    put(buffer, [change("k1", a="2")])
    flush_until_all_is_written(buffer)
    assert table.rows() == {f"k{n}": ("2" if n == 1 else "1", None) for n in range(20)}
    assert pending(buffer, [f"k{n}" for n in range(20)]) == {}
    assert dead_letters(buffer) == []


def test_a_flusher_that_slept_past_its_lease_writes_nothing_old(table):  # noqa: F811
    """It took the first value; another one writes a second; then it goes on."""
    buffer = table.buffer(shards=1)
    put(buffer, [change("k", a="1")])

    def sleep_and_apply(batch):
        put(buffer, [change("k", a="2")])
        leases.client().delete(leases.Lease(buffer, 0)._key)
        assert flush_now(buffer) == 1
        assert table.rows() == {"k": ("2", None)}
        return table.apply(batch)

    flush_now(replace(buffer, apply=sleep_and_apply))
    assert table.rows() == {"k": ("2", None)}
    assert backlog(buffer).keys == 0
