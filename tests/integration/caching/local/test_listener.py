"""Changes reach the process; where they cannot, nothing older than a second is served."""

import os
import signal
import time
from dataclasses import replace

import pytest
import redis

from apps.caching.keys import Key
from apps.caching.local import listener, process, store
from apps.caching.local.store import LocalCache
from apps.caching.policies import Local
from tests.cable import Cable, connector, through
from tests.concurrency.test_sabotage import Words
from tests.integration.caching.local.conftest import ONE, Held
from tests.processes import eventually

BOUND = 1.0 + 0.05  # Local.seconds, and what a busy machine needs to look


def filled(held: Held) -> Held:
    held.keep(ONE, "first", b"1")
    held.fill()
    assert held.cache.get(ONE.name) == b"first"
    return held


def seconds_served(held: Held, key: Key = ONE) -> float:
    """How long it goes on being served, asked for all the time."""
    began = time.monotonic()
    eventually(lambda: not held.serves(key), seconds=1.5, every=0.002)
    return time.monotonic() - began


def test_a_change_is_pushed(held):
    filled(held).change()
    assert seconds_served(held) < 0.2  # by far sooner than anything else would end it
    assert held.cache.statistics().invalidated == 1
    assert held.fill() is None  # Redis has nothing either


def test_a_change_of_many_is_pushed_at_once(held):
    keys = [Key("thing", str(number)) for number in range(700)]
    for key in keys:
        held.keep(key, "x", b"1")
        held.fill(key)
    before = held.cache.statistics().entries
    held.client.publish(listener.channel(), "\n".join(key.name for key in keys))
    eventually(lambda: held.cache.statistics().entries == before - len(keys), every=0.002)


def test_what_is_asked_for_stays_as_long_as_redis_has_it(held):
    """Longer than its second, without being filled again."""
    filled(held)
    end = time.monotonic() + 1.3
    while time.monotonic() < end:
        assert held.serves()
        time.sleep(0.05)
    assert held.cache.statistics().invalidated == 0


def a_change_that_nobody_told_of(held):
    filled(held).keep(ONE, "second", b"2")
    assert seconds_served(held) < BOUND
    assert held.fill() == b"second" and held.cache.get(ONE.name) == b"second"


def test_a_change_that_was_never_told_is_found_by_its_stamp(held):
    a_change_that_nobody_told_of(held)
    assert held.cache.statistics().refuted == 1


def a_change_that_overtakes_the_fill(held):
    """The reader has Redis's answer in its hand while the value is changed."""
    held.keep(ONE, "first", b"1")
    place = held.cache.begin(ONE.name)
    value, stamp = held.client.hmget(ONE.value, "v", "_s")
    dropped = held.cache.drop

    def heard(names):
        dropped(names)
        held.heard = names

    held.cache.drop = heard
    held.change()
    eventually(lambda: getattr(held, "heard", None), every=0.002)
    proof = held.listener.proof
    held.cache.complete(ONE, place, value, stamp=stamp, size=1, proof=proof)
    assert not held.serves(), "kept what was changed meanwhile"


def test_a_change_that_overtakes_the_fill_wins(held):
    a_change_that_overtakes_the_fill(held)


SABOTAGE = {
    "the placeholder": (
        [
            Words(store.LocalCache, "drop", "self._awaited.pop(name, None)"),
        ],
        a_change_that_overtakes_the_fill,
        "kept what was changed meanwhile",
    ),
    "the stamp": (
        [Words(store.LocalCache, "confirm", "stamp == entry.stamp", "True")],
        a_change_that_nobody_told_of,
        "not within 1.5 s",
    ),
}


@pytest.mark.parametrize("name", SABOTAGE)
def test_without_its_guard_it_serves_what_is_old(name, held, monkeypatch):
    taken, test, complaint = SABOTAGE[name]
    for words in taken:
        words.take_out(monkeypatch)
    with pytest.raises(AssertionError, match=complaint):
        test(held)


def test_a_lost_connection_empties_it_and_is_made_again(held):
    filled(held)
    mine = [one for one in held.client.client_list() if one["sub"] == "1"]
    assert len(mine) == 1
    held.client.client_kill_filter(_id=mine[0]["id"])
    eventually(lambda: held.cache.statistics().entries == 0, seconds=1, every=0.002)
    assert not held.serves() and held.listener.losses == 1
    held.listening()
    filled(held).change()
    assert seconds_served(held) < 0.2


def test_nonsense_on_the_channel_does_not_end_it(held):
    filled(held)
    held.client.publish(listener.channel(), b"\xff\x00\n\n:" + ONE.name.encode())
    held.client.publish(listener.channel(), b"\n" + ONE.name.encode() + b"\n\xfe")
    assert seconds_served(held) < 0.2
    assert held.listener.losses == 0


def test_a_redis_that_hangs_is_not_waited_for(held, server):
    filled(held)
    os.kill(server[0].pid, signal.SIGSTOP)
    try:
        assert seconds_served(held) < BOUND
        eventually(lambda: held.listener.losses, seconds=3, every=0.01)
    finally:
        os.kill(server[0].pid, signal.SIGCONT)
    held.listening()


def test_a_link_that_is_cut_ends_what_is_served_and_a_mended_one_begins_anew(server):
    cable = Cable(connector(server[1]))
    reader = redis.Redis.from_url(through(cable, server[1]), socket_timeout=0.1)
    one = Held(server[1], LocalCache(Local()), reader)
    one.listener.start()
    try:
        one.listening()
        filled(one)
        cable.cut()
        assert seconds_served(one) < BOUND
        one.keep(ONE, "second", b"2")  # unheard
        cable.mend()
        one.listening()
        assert one.fill() == b"second"
    finally:
        one.listener.stop()
        cable.cut()


def test_a_shorter_backstop_than_a_second_is_kept(server):
    reader = redis.Redis.from_url(server[1], socket_timeout=0.1)
    one = Held(server[1], LocalCache(replace(Local(), seconds=0.05)), reader)
    one.listener.start()
    try:
        filled_at = time.monotonic()
        one.keep(ONE, "first", b"1")
        eventually(lambda: one.listener.proof.until > time.monotonic(), every=0.005)
        one.fill()
        assert seconds_served(one) < 0.5 < time.monotonic() - filled_at + 0.5
    finally:
        one.listener.stop()


def test_a_forked_process_starts_empty_and_listens_itself(held):
    """The parent's entries, locks and thread are not the child's."""
    cache = process.local_cache("test.forked", Local())
    key = Key("test.forked", "1")
    parents = process.listener_of(key)
    eventually(lambda: parents.hears, every=0.01)
    place = cache.begin(key.name)
    assert cache.complete(key, place, "parent's", stamp=b"1", size=1, proof=parents.proof)
    assert cache.get(key.name) == "parent's"
    reading, writing = os.pipe()
    with cache._lock:  # as another thread might have at that moment
        child = os.fork()
    if child == 0:
        said = b"failed"
        try:
            empty = cache.get(key.name) is None and cache.statistics().entries == 0
            own = process.listener_of(key)
            eventually(lambda: own.hears, seconds=5, every=0.01)
            said = b"good" if empty and own is not parents else b"not empty"
        finally:
            os.write(writing, said)
            os._exit(0)
    os.close(writing)
    assert os.read(reading, 100) == b"good"
    os.close(reading)
    os.waitpid(child, 0)
    assert cache.get(key.name) is None or cache.get(key.name) == "parent's"
    process.stop()
    assert cache.statistics().entries == 0
