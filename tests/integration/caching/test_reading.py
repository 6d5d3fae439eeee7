"""What a reader gets, and what it costs: looks at Redis and loads from the database."""

import pytest
from django.db import transaction

from apps.caching import connections
from apps.caching.fence import STAMP
from apps.caching.keys import Key
from apps.caching.policies import Serializer, Strategy
from apps.caching.resources import Provisional
from apps.caching.statistics import statistics_of
from tests.integration.caching.conftest import ALIAS

pytestmark = pytest.mark.django_db(transaction=True, databases=[ALIAS])


def redis():
    return connections.client()


def value_key(strategy, one: str) -> str:
    return Key(strategy.resource.name, one).value


@pytest.mark.parametrize("kind", [one for one in Strategy if one != Strategy.WRITE_BEHIND])
@pytest.mark.parametrize("serializer", list(Serializer))
def test_a_value_is_loaded_once_and_then_served(make, table, kind, serializer):
    cached = make(strategy=kind, serializer=serializer)
    assert [cached.get("a"), cached.get("a")] == ["old", "old"]
    assert table.loads == [["a"]]


def test_there_being_none_is_kept_as_well_for_a_shorter_time(make, table):
    cached = make(negative_ttl=20.0, jitter=0.0)
    assert [cached.get("b"), cached.get("b")] == [None, None]
    assert table.loads == [["b"]]
    assert 19_000 < redis().pttl(value_key(cached, "b")) <= 20_000


def test_a_create_drops_that_there_is_none(cached, table):
    assert cached.get("b") is None
    with cached.writing(ALIAS, ["b"]):
        table.put("b", "new")
    assert cached.get("b") == "new"


def test_what_many_lack_is_loaded_and_kept_by_three_commands(cached, table, counted):
    table.put("b", "second")
    cached.get("a")
    table.loads.clear()
    ids = ["a", "b", *[f"none-{n}" for n in range(18)]]
    with counted() as commands:
        found = cached.get_many(ids)
    assert found == dict.fromkeys(ids) | {"a": "old", "b": "second"}
    assert table.loads == [sorted(set(ids) - {"a"})]
    assert commands() == 2  # a look and a fill

    with counted() as commands:
        assert cached.get_many(ids) == found
    assert commands() == 1


def test_lives_differ_so_that_what_was_filled_together_does_not_end_together(make, table):
    cached = make(ttl=100.0, jitter=0.1)
    cached.get_many([f"x{n}" for n in range(40)])
    cached = make(ttl=100.0, negative_ttl=100.0, jitter=0.1)
    cached.get_many([f"y{n}" for n in range(40)])
    lives = [redis().pttl(value_key(cached, f"y{n}")) for n in range(40)]
    assert 89_000 < min(lives) < max(lives) <= 110_000
    assert max(lives) - min(lives) > 5_000


def test_nothing_is_kept_that_was_read_inside_a_transaction(cached, table):
    with pytest.raises(ZeroDivisionError), transaction.atomic(using=ALIAS):
        table.put("a", "never committed")
        assert cached.get("a") == "never committed"
        raise ZeroDivisionError
    assert cached.get("a") == "old"


def test_a_load_that_fails_lets_the_next_reader_load(make, table):
    def failing(ids):
        raise RuntimeError("no database")

    broken = make(load=failing)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            broken.get("a")
    assert make().get("a") == "old"  # without having waited for a lease


def test_a_value_too_large_is_served_but_not_kept(make, table):
    table.put("a", "x" * 5_000)
    cached = make(max_bytes=4_096)
    assert [len(cached.get("a")), len(cached.get("a"))] == [5_000, 5_000]
    assert len(table.loads) == 2
    assert redis().exists(value_key(cached, "a")) == 0


FORGED = [
    {"v": b"cos\nsystem\n(S'true'\ntR."},  # a pickle
    {"v": b'"forged"'},  # no form
    {"_f": b"1j", "v": b"{"},
    {"_f": b"1j"},
    {"_f": b"1j", "_d": b"much", "v": b'"x"'},
    {"_f": b"2j", "v": b'"of another form"'},
    {"_f": b"1j", "v": b"[" * 100_000},
]


@pytest.mark.parametrize("fields", FORGED, ids=range(len(FORGED)))
def test_forged_bytes_are_a_miss_and_are_replaced(cached, table, fields):
    redis().hset(value_key(cached, "a"), mapping=fields)
    assert cached.get("a") == "old"
    assert redis().hget(value_key(cached, "a"), "v") == b'"old"'
    assert cached.get("a") == "old"
    assert table.loads == [["a"]]


def test_keys_of_another_type_are_removed(cached, table):
    key = Key(cached.resource.name, "a")
    for name in key.all:
        redis().set(name, "foreign") if name != key.lease else redis().hset(name, "a", "b")
    assert [cached.get("a"), cached.get("a")] == ["old", "old"]
    redis().set(key.writers, "foreign")
    with cached.writing(ALIAS, ["a"]):
        table.put("a", "new")
    assert cached.get("a") == "new"
    assert table.loads == [["a"], ["a"]]


def test_another_form_is_a_miss(make, table):
    make().get("a")
    assert make(form=2).get("a") == "old"
    assert table.loads == [["a"], ["a"]]


def test_an_entry_says_its_stamp_once_it_is_kept(cached, table):
    first = cached.entries(["a"])["a"]
    again = cached.entries(["a"])["a"]
    assert first.stamp == again.stamp == redis().hget(value_key(cached, "a"), STAMP)
    with cached.writing(ALIAS, ["a"]):
        assert cached.entries(["a"])["a"].stamp == b""


def test_the_caller_of_cache_aside_loads(make, table):
    aside = make(strategy=Strategy.CACHE_ASIDE)
    assert aside.get("a", lambda ids: {one: one.upper() for one in ids}) == "A"
    assert aside.get("a") == "A"
    assert table.loads == []


def test_write_through_fills_what_was_committed(make, table):
    cached = make(strategy=Strategy.WRITE_THROUGH)
    with cached.writing(ALIAS, ["a"]), transaction.atomic(using=ALIAS):
        table.put("a", "new")
    assert redis().hget(value_key(cached, "a"), "v") == b'"new"'
    assert table.loads == [["a"]]
    assert cached.get("a") == "new"
    assert table.loads == [["a"]]


def test_what_is_provisional_is_served_and_not_kept(make, table):
    cached = make(load=lambda ids: Provisional(table.load(ids)))
    assert [cached.get("a"), cached.get("a")] == ["old", "old"]
    assert len(table.loads) == 2
    assert redis().keys("*") == []


def test_one_reader_loads_anew_before_the_end_and_others_are_served(make, table):
    cached = make(ttl=60.0, early=1e9)  # sure to be early, once a load has taken some time
    assert cached.get("a") == "old"
    redis().hset(value_key(cached, "a"), "_d", "1.0")
    table.put("a", "new")
    assert cached.get("a") == "new"
    assert cached.statistics.refreshed == 1
    redis().hset(value_key(cached, "a"), mapping={"_d": "1.0", "v": b'"kept"'})
    redis().set(Key(cached.resource.name, "a").lease, "somebody")
    assert cached.get("a") == "kept"


def test_inside_a_transaction_nothing_is_loaded_anew(make, table):
    cached = make(ttl=60.0, early=1e9)
    cached.get("a")
    redis().hset(value_key(cached, "a"), "_d", "1.0")
    with pytest.raises(ZeroDivisionError), transaction.atomic(using=ALIAS):
        table.put("a", "never committed")
        assert cached.get("a") == "old"
        raise ZeroDivisionError
    assert redis().hget(value_key(cached, "a"), "v") == b'"old"'


def test_a_refresh_that_fails_serves_what_there_is(make, table):
    make().get("a")
    redis().hset(value_key(make(), "a"), "_d", "1.0")

    def failing(ids):
        raise RuntimeError("no database")

    assert make(load=failing, early=1e9).get("a") == "old"


def test_what_the_cache_does_is_counted(make, table):
    cached = make()
    cached.get_many(["a", "none"])
    cached.get_many(["a", "none"])
    with cached.writing(ALIAS, ["a"]):
        cached.get("a")
    counts = {name: count for name, count in cached.statistics.as_dict().items() if count}
    assert counts == {
        "hits": 1,
        "negative_hits": 1,
        "misses": 3,
        "loads": 2,
        "loaded": 3,
        "fills": 2,
        "fenced": 1,
    }


def test_what_is_written_and_dropped_is_counted_wherever_it_is_done(make, table):
    counts = statistics_of(make().resource.name)
    written, dropped = counts.written, counts.dropped
    with make().writing(ALIAS, ["a", "b"], ["names"]):
        pass
    make().drop(["a"])
    assert (counts.written - written, counts.dropped - dropped) == (2, 1)
