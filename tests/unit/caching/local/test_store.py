"""What the in-process cache keeps, which entry goes first, and what it refuses to serve."""

import time

import pytest

from apps.caching.keys import Key
from apps.caching.local.store import LocalCache, Proof
from apps.caching.policies import Eviction, Local

FOR_EVER = Proof(until=float("inf"))


def cache(**policy) -> LocalCache:
    return LocalCache(Local(**({"seconds": 60.0} | policy)))


def put(
    one: LocalCache, name: str, *, size: int = 100, stamp: bytes = b"1", proof=FOR_EVER
) -> bool:
    key = Key("thing", name)
    place = one.begin(key.name)
    return one.complete(key, place, f"value {name}", stamp=stamp, size=size, proof=proof)


def kept(one: LocalCache, names: str) -> str:
    """Those of ``names`` that are there, without counting as a use."""
    return "".join(name for name in names if f"thing:{name}" in one._entries)


@pytest.mark.parametrize(
    ("eviction", "left"),
    [(Eviction.LRU, "acd"), (Eviction.LFU, "abd"), (Eviction.FIFO, "bcd")],
)
def test_what_goes_first_is_the_policys(eviction, left):
    one = cache(eviction=eviction, entries=3)
    for name in "abc":
        put(one, name)
    for name in "bbca":  # b was used longest ago, c less often than b and before a, a came first
        one.get(f"thing:{name}")
    put(one, "d")
    assert kept(one, "abcd") == left
    assert one.statistics().evicted == 1


def test_it_is_bounded_by_entries():
    one = cache(entries=10)
    for number in range(100):
        put(one, str(number))
        assert one.statistics().entries == min(number + 1, 10)
    assert one.statistics().evicted == 90


def test_it_is_bounded_by_bytes():
    one = cache(entries=1_000, megabytes=0.01)  # 10,485 bytes
    for name in "abcdef":
        assert put(one, name, size=2_000)
    found = one.statistics()
    assert (found.entries, found.bytes, found.evicted) == (5, 10_000, 1)
    assert put(one, "g", size=485) and kept(one, "abcdefg") == "bcdefg"
    assert put(one, "h", size=1) and kept(one, "abcdefgh") == "cdefgh"


def test_what_is_larger_than_all_of_it_is_not_kept():
    one = cache(megabytes=0.001)
    put(one, "a", size=500)
    assert not put(one, "b", size=2_000)
    assert kept(one, "ab") == "a"


def test_the_same_entry_anew_evicts_nobody():
    one = cache(entries=2)
    for name in "abbb":
        put(one, name)
    assert (kept(one, "ab"), one.statistics().evicted) == ("ab", 0)


def test_nothing_is_served_that_was_not_confirmed_in_time():
    one = cache(seconds=0.0)
    put(one, "a")
    assert one.get("thing:a") is None
    assert (one.statistics().expired, one.statistics().hits) == (1, 0)


def test_nothing_is_served_while_changes_are_not_heard():
    one, proof = cache(), Proof()
    put(one, "a", proof=proof)
    assert one.get("thing:a") is None
    proof.until = time.monotonic() + 60
    assert one.get("thing:a") == "value a"


def test_a_change_that_arrives_before_the_value_wins():
    one, key = cache(), Key("thing", "a")
    place = one.begin(key.name)
    one.drop([key.name])
    assert not one.complete(key, place, "old", stamp=b"1", size=1, proof=FOR_EVER)
    assert one.get(key.name) is None
    assert one.statistics().overtaken == 1


def test_what_is_emptied_stays_empty_of_what_was_on_its_way():
    one, key = cache(), Key("thing", "a")
    place = one.begin(key.name)
    one.clear()
    assert not one.complete(key, place, "old", stamp=b"1", size=1, proof=FOR_EVER)


def test_of_two_fillers_the_first_one_fills():
    one, key = cache(), Key("thing", "a")
    first, second = one.begin(key.name), one.begin(key.name)
    assert one.complete(key, second, "b", stamp=b"2", size=1, proof=FOR_EVER)
    assert not one.complete(key, first, "a", stamp=b"1", size=1, proof=FOR_EVER)
    assert one.get(key.name) == "b"


def test_places_given_up_leave_nothing_behind():
    one, key = cache(), Key("thing", "a")
    first, second = one.begin(key.name), one.begin(key.name)
    one.abandon(key, first)
    assert one.complete(key, second, "a", stamp=b"1", size=1, proof=FOR_EVER)
    one.abandon(key, second)
    assert one._awaited == {}


def test_stamps_confirm_or_refute():
    one, proof = cache(), Proof(until=float("inf"))
    for name in "abc":
        put(one, name, stamp=name.encode(), proof=proof)
        one.get(f"thing:{name}")
    since = time.monotonic() - 10
    asked = one.wanted(proof, since)
    assert [name for name, _ in asked] == ["thing:a", "thing:b", "thing:c"]
    assert one.wanted(Proof(), since) == []  # of another Redis
    assert one.wanted(proof, time.monotonic()) == []  # too long ago
    one.confirm(asked, [b"a", b"other", None], time.monotonic())
    assert kept(one, "abc") == "a"
    assert one.statistics().refuted == 2


def test_what_was_filled_anew_is_not_refuted_by_the_old_stamp():
    one = cache()
    put(one, "a", stamp=b"1")
    one.get("thing:a")
    asked = one.wanted(FOR_EVER, 0.0)
    put(one, "a", stamp=b"2")
    one.confirm(asked, [b"2"], time.monotonic())
    assert one.get("thing:a") == "value a"
