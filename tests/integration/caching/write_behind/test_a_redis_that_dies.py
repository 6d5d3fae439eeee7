"""The durable Redis dies, pauses, or comes back without the end of its file."""

import contextlib
import threading
import time

import pytest

from apps.caching.write_behind import (
    PendingUnknown,
    Refused,
    Version,
    backlog,
    changes,
    drain,
    flush_now,
    loss_seconds,
    pending,
    put,
    renew,
    scripts,
)
from apps.caching.write_behind.connections import client
from tests.integration.caching.write_behind.own_redis import own_redis  # noqa: F401 - a fixture
from tests.integration.caching.write_behind.table import GUARD, Table, change

pytestmark = pytest.mark.django_db(databases=["catalog"])
KEYS = 40


@pytest.fixture
def shop(own_redis, table, settings):  # noqa: F811
    settings.WRITE_BEHIND_TIMEOUT_SECONDS = 0.2
    yield own_redis
    if own_redis.process.poll() is not None:
        own_redis.start()


def killed_under_load(redis, buffer) -> dict[str, tuple[int, float]]:
    """The last acknowledged value of each key, and how many seconds before the kill that was."""
    known: dict[str, tuple[int, float]] = {}
    enough = threading.Event()

    def load() -> None:
        for number in range(1_000_000):
            key = f"k{number % KEYS}"
            [answer] = put(buffer, [change(key, a=str(number))])
            if not isinstance(answer, Version):
                return
            known[key] = number, time.monotonic()
            if number == 200:
                enough.set()

    thread = threading.Thread(target=load)
    thread.start()
    assert enough.wait(30)
    redis.kill()
    killed = time.monotonic()
    thread.join(30)
    redis.start()
    return {key: (number, killed - at) for key, (number, at) in known.items()}


def lost(buffer, known) -> list[float]:
    """How old they were when Redis died: acknowledged changes that it does not have any more."""
    found = pending(buffer, list(known))
    return [
        age
        for key, (number, age) in known.items()
        if key not in found or int(found[key].fields["a"]) < number
    ]


@pytest.mark.parametrize("own_redis", ["always"], indirect=True)
def test_killed_under_load_with_a_file_synced_always_nothing_acknowledged_is_lost(shop, table):
    buffer = table.buffer()
    assert loss_seconds() == 0.0
    known = killed_under_load(shop, buffer)
    assert lost(buffer, known) == []


@pytest.mark.parametrize("own_redis", ["everysec"], indirect=True)
def test_a_file_synced_every_second_loses_no_more_than_it_says(shop, table):
    """Redis writes up to a second later still while its disk is busy syncing."""
    buffer = table.buffer()
    assert loss_seconds() == 1.0
    known = killed_under_load(shop, buffer)
    assert [age for age in lost(buffer, known) if age > 1.0 + 1.0] == []


def lose_the_end(redis, buffer, table) -> None:
    """Ten changes are in the row, and Redis knows of one of them."""
    put(buffer, [change("k", a="0")])
    size = redis.file.stat().st_size
    put(buffer, [change("k", a=str(number)) for number in range(1, 10)])
    flush_now(buffer)
    assert table.rows() == {"k": ("9", None)}
    redis.kill()
    redis.cut(size)
    redis.start()


def test_after_a_truncated_file_later_changes_are_not_dropped_by_the_guard(shop, table):
    buffer = table.buffer()
    lose_the_end(shop, buffer, table)
    assert put(buffer, [change("k", a="new")]) == [(2, 1)]
    flush_now(buffer)
    assert table.rows() == {"k": ("new", None)}
    assert table.versions() == {"k": (2, 1)}


def test_without_the_epoch_a_truncated_file_drops_later_changes(shop, table, monkeypatch):
    """Sabotage: the epoch is what the test above is right by."""
    trusting = scripts.PUT.replace("if meta[2] ~= run then", "if not meta[2] then")
    assert trusting != scripts.PUT
    monkeypatch.setattr(scripts, "PUT", trusting)
    buffer = table.buffer()
    lose_the_end(shop, buffer, table)
    put(buffer, [change("k", a="new")])
    flush_now(buffer)
    assert table.rows() == {"k": ("9", None)}


def test_what_a_truncated_file_brought_back_is_not_written_over_what_came_later(shop, table):
    buffer = table.buffer()
    lose_the_end(shop, buffer, table)
    assert pending(buffer, ["k"])["k"].fields == {"a": b"0"}
    flush_now(buffer)
    assert table.rows() == {"k": ("9", None)}


def test_without_the_version_guard_it_would_be(shop, table):
    """Sabotage: the guard is what the test above is right by."""
    assert GUARD
    table.guard = ""
    buffer = table.buffer()
    lose_the_end(shop, buffer, table)
    flush_now(buffer)
    assert table.rows() == {"k": ("0", None)}


def test_a_redis_that_lost_everything_begins_a_new_epoch(shop, table):
    buffer = table.buffer()
    assert put(buffer, [change("k", a="1")]) == [(1, 1)]
    client().flushall()
    assert put(buffer, [change("k", a="2")]) == [(2, 1)]


def test_an_epoch_drawn_before_another_one_is_never_set_after_it(shop, table, monkeypatch):
    """One process draws 1 and dozes, the next draws 2 and goes on, Redis loses everything."""
    monkeypatch.setattr(changes, "_lock", contextlib.nullcontext())  # two processes in one
    drawn = iter([1, 2, 3])

    def doze() -> int:
        number = next(drawn)
        if number == 1:
            assert put(buffer, [change("k", a="1")]) == [(2, 1)]
            client().flushall()
        return number

    buffer = Table(table.name).buffer(next_epoch=doze)
    assert put(buffer, [change("k", a="2")]) == [(3, 1)]


def test_a_dead_redis_refuses_changes_and_says_that_nothing_is_known(shop, table):
    buffer = table.buffer()
    put(buffer, [change("k", a="1")])
    shop.kill()
    assert put(buffer, [change("k", a="2"), change("l", a="1")]) == [Refused.AWAY] * 2
    for ask in (pending, drain):
        with pytest.raises(PendingUnknown):
            ask(buffer, ["k"])
    with pytest.raises(PendingUnknown):
        backlog(buffer)
    assert loss_seconds() is None
    shop.start()
    # Whoever wrote the row meanwhile could not see what was pending: what comes now is above.
    assert put(buffer, [change("k", a="3")]) == [(2, 1)]


def test_a_paused_redis_is_waited_for_once(shop, table, monkeypatch):
    buffer = table.buffer()
    put(buffer, [change("k", a="1")])
    shop.pause()
    try:
        assert put(buffer, [change("k", a="2")]) == [Refused.AWAY]
        calls = []
        monkeypatch.setattr(client().connection_pool, "get_connection", calls.append)
        assert put(buffer, [change("k", a="2")] * 1_200) == [Refused.AWAY] * 1_200
        assert calls == []
    finally:
        monkeypatch.undo()
        shop.resume()
    assert pending(buffer, ["k"])["k"].version >= (1, 1)
    assert put(buffer, [change("k", a="3")]) == [(2, 1)]


def test_an_epoch_may_be_renewed_by_hand(shop, table):
    buffer = table.buffer()
    put(buffer, [change("k", a="1")])
    renew(buffer)
    assert put(buffer, [change("k", a="2")]) == [(2, 1)]
