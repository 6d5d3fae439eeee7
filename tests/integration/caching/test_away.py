"""Redis killed, paused, flushed, full: slower, never wrong, never an error."""

import time
from collections.abc import Iterator

import pytest
from django.db import transaction

from apps.caching import invalidations, retrying
from apps.caching.keys import Key
from apps.caching.models import Invalidation
from apps.caching.strategies.base import CacheStrategy
from apps.common.errors import Unavailable
from tests.integration.caching.conftest import ALIAS
from tests.integration.caching.redis_server import RedisServer
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases=[ALIAS])


@pytest.fixture
def server(tmp_path, settings, table) -> Iterator[RedisServer]:
    one, shared = RedisServer(tmp_path / "redis"), settings.CACHE_URL
    settings.CACHE_URL = one.url
    settings.CACHE_TIMEOUT_SECONDS = 0.1
    yield one
    one.go_on()
    if not one.answers():
        one.start()
    assert retrying.wait(10)
    settings.CACHE_URL = shared
    one.kill()


def at_rest(cached: CacheStrategy, table) -> None:
    """Whatever Redis has now is what is in the table."""
    assert retrying.wait(10)
    eventually(lambda: cached.entries(["a"])["a"].stamp, seconds=10)
    assert cached.get("a") == table.load(["a"])["a"]


def write(cached: CacheStrategy, table, word: str) -> None:
    with transaction.atomic(using=ALIAS), cached.writing(ALIAS, ["a"]):
        table.put("a", word)


def test_a_redis_that_is_killed_is_done_without_and_comes_back_empty(server, cached, table):
    cached.get("a")
    server.kill()
    assert cached.get("a") == "old"
    write(cached, table, "new")
    assert cached.get("a") == "new"
    assert [row.names for row in Invalidation.objects.using(ALIAS).all()] == [
        [f"{cached.resource.name}:a"]
    ]
    server.start()
    at_rest(cached, table)
    assert invalidations.perform(ALIAS) == 1
    assert not Invalidation.objects.using(ALIAS).exists()


def test_a_redis_that_is_paused_costs_one_time_out_a_second(server, cached, table):
    cached.get("a")
    server.pause()
    began = time.monotonic()
    for _ in range(20):
        assert cached.get("a") == "old"
    write(cached, table, "new")
    assert time.monotonic() - began < 1.0  # 21 time-outs would be more than two
    assert cached.get("a") == "new"
    server.go_on()
    at_rest(cached, table)


def test_what_a_paused_redis_still_has_is_gone_as_soon_as_it_answers(server, cached, table):
    """Its value is older than the write that it was not told of."""
    cached.get("a")
    server.pause()
    write(cached, table, "new")
    server.go_on()
    assert retrying.wait(10)
    assert not server.client().exists(Key(cached.resource.name, "a").value)


def test_the_note_alone_ends_an_old_value_when_its_writer_died(server, cached, table, monkeypatch):
    cached.get("a")
    server.pause()
    monkeypatch.setattr(retrying, "add", lambda keys, token: None)  # died after the commit
    write(cached, table, "new")
    server.go_on()
    assert invalidations.perform(ALIAS) == 1
    assert not server.client().exists(Key(cached.resource.name, "a").value)


def test_a_write_that_is_rolled_back_leaves_no_note(server, cached, table):
    server.kill()
    with pytest.raises(ZeroDivisionError), cached.writing(ALIAS, ["a"]):
        raise ZeroDivisionError
    assert not Invalidation.objects.using(ALIAS).exists()


def test_around_a_transaction_the_note_is_in_it_all_the_same(server, cached, table):
    server.kill()
    with cached.writing(ALIAS, ["a"]), transaction.atomic(using=ALIAS):
        table.put("a", "new")
        assert Invalidation.objects.using(ALIAS).count() == 1
    assert Invalidation.objects.using(ALIAS).count() == 1


def test_a_strict_resource_refuses_the_write_and_changes_nothing(server, make, table):
    cached = make(strict=True)
    server.kill()
    with pytest.raises(Unavailable) as refused:
        write(cached, table, "new")
    assert refused.value.code == "cache_unavailable"
    assert cached.get("a") == "old"


def test_dropping_by_hand_says_that_it_did_not(server, cached):
    cached.get("a")
    server.pause()
    with pytest.raises(Unavailable):
        cached.drop(["a"])
    server.go_on()
    assert retrying.wait(10)  # and is done as soon as it can be
    assert not server.client().exists(Key(cached.resource.name, "a").value)


def test_a_flush_in_the_middle_of_a_write_leaves_nothing_old(server, cached, table):
    with transaction.atomic(using=ALIAS), cached.writing(ALIAS, ["a"]):
        server.client().flushall()
        table.put("a", "new")
    at_rest(cached, table)
    assert cached.get("a") == "new"


def test_a_flush_while_a_reader_loads_refuses_its_fill(server, make, table):
    def flushed(ids):
        server.client().flushall()
        return table.load(ids)

    assert make(load=flushed).get("a") == "old"
    assert server.client().keys("*") == []


def test_a_restart_between_the_phases_is_no_error(server, cached, table):
    with cached.writing(ALIAS, ["a"]):
        server.kill()
        server.start()
        table.put("a", "new")
    at_rest(cached, table)


def test_a_full_redis_is_one_that_is_away(server, cached, table):
    server.client().config_set("maxmemory", "1mb")
    server.client().config_set("maxmemory-policy", "noeviction")
    with server.client() as client:
        try:
            for n in range(10_000):
                client.set(f"fill{n}", "x" * 1_000)
        except Exception:  # noqa: BLE001 - full at last
            pass
    assert cached.get("a") == "old"
    write(cached, table, "new")
    assert cached.get("a") == "new"
