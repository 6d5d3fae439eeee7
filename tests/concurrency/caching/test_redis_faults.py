"""Redis killed, flushed, paused and started again under readers and writers: none of them gets an
error or waits for long, what they read is never older than a moment, and nothing old is left."""

import random
import time
from collections import deque

import pytest
from django.db import transaction

from apps.caching import invalidations, retrying
from apps.common.databases import execute
from tests.concurrency.caching import forked
from tests.concurrency.caching.test_races import NAMES, Course, all_words, load
from tests.integration.caching.conftest import ALIAS
from tests.integration.caching.redis_server import RedisServer
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases=[ALIAS])
STALE_SECONDS = 2.0  # some tenths as a rule; two cores for all of this
CALL_SECONDS = 2.0
SECONDS = 3.0


class Weather(Course):
    """Writers that live on, and readers that also look at the clock."""

    def __init__(self, *args):
        super().__init__(*args)
        self.slowest = forked.context.Value("d", 0.0)

    def write(self, seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < self.end:
            at = chance.randrange(len(NAMES))
            began = time.monotonic()
            with transaction.atomic(using=ALIAS), self.cached.writing(ALIAS, [NAMES[at]], ["all"]):
                execute(
                    ALIAS,
                    "UPDATE caching_test SET word = word::bigint + 1 WHERE name = %s",
                    [NAMES[at]],
                )
            self.note_time(began)
            with self.committed.get_lock():
                word = load([NAMES[at]])[NAMES[at]]
                self.committed[at] = max(self.committed[at], word)
        assert retrying.wait(20)

    def read(self, seed: int) -> None:
        chance = random.Random(seed)
        known: deque = deque([(time.monotonic(), list(self.committed))])
        while (now := time.monotonic()) < self.end:
            known.append((now, list(self.committed)))
            while len(known) > 1 and known[1][0] <= now - STALE_SECONDS:
                known.popleft()
            if chance.random() < 0.5:
                found = self.cached.get_many(NAMES)
                got = [found[name] for name in NAMES]
            else:
                got = self.page.get("page", all_words)
            self.note_time(now)
            floor = known[0][1] if known[0][0] <= now - STALE_SECONDS else [0] * len(NAMES)
            with self.reads.get_lock():
                self.reads.value += 1
                self.stale.value += sum(a < b for a, b in zip(got, floor, strict=True))
            time.sleep(0.001)

    def note_time(self, began: float) -> None:
        took = time.monotonic() - began
        with self.slowest.get_lock():
            self.slowest.value = max(self.slowest.value, took)


@pytest.fixture
def server(tmp_path, settings, table):
    one, shared = RedisServer(tmp_path / "redis"), settings.CACHE_URL
    settings.CACHE_URL = one.url
    settings.CACHE_TIMEOUT_SECONDS = 0.1
    yield one
    settings.CACHE_URL = shared
    one.go_on()
    one.kill()


def test_whatever_befalls_redis_readers_and_writers_go_on(server, make, table, settings):
    settings.CACHE_WRITER_MS = 1_000
    for name in NAMES:
        table.put(name, "0")
    weather = Weather(make(load=load, wait=0.2))
    weather.end = time.monotonic() + SECONDS
    readers = [forked.start(weather.read, seed) for seed in (1, 2)]
    writers = [forked.start(weather.write, seed) for seed in (3, 4)]
    befall(server, weather)
    for one in (*readers, *writers):
        one.join(30)

    assert [one.exitcode for one in (*readers, *writers)] == [0] * 4
    assert weather.reads.value > 50
    assert weather.stale.value == 0
    assert weather.slowest.value < CALL_SECONDS
    while invalidations.perform(ALIAS):
        pass
    assert weather.left() == []
    eventually(lambda: weather.cached.entries(NAMES)["a"].stamp, seconds=10)
    assert weather.left() == []


def befall(server: RedisServer, weather: Weather) -> None:
    """One after the other, while a job works off what Redis could not be told."""
    deeds = [server.client().flushall, server.pause, server.go_on, server.kill, server.start]
    pause = SECONDS / (len(deeds) + 2)
    for deed in deeds:
        wait_until(time.monotonic() + pause)
        deed()
    wait_until(weather.end)


def wait_until(end: float) -> None:
    while time.monotonic() < end:
        invalidations.perform(ALIAS)
        time.sleep(0.1)
