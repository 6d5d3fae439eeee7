"""Readers and writers in processes of their own, writers killed at any moment: nothing old is ever
served while Redis is up, and nothing old is left."""

import os
import random
import signal
import time
from collections.abc import Sequence

import pytest
from django.db import transaction

from apps.caching import connections as redises
from apps.caching.keys import Key
from apps.caching.strategies.base import CacheStrategy
from apps.common.databases import execute, fetch_all, fetch_one
from tests.concurrency.caching import forked
from tests.integration.caching.conftest import ALIAS
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases=[ALIAS])
NAMES = ["a", "b", "c"]
SECONDS = 1.5
WRITER_MS = 1_000
LONGEST_MS = 600  # of a transaction; the server ends one that takes longer


class Death(Exception):
    """A writer changes its mind."""


def load(ids: Sequence[str]) -> dict[str, int]:
    rows = fetch_all(
        ALIAS, "SELECT name, word FROM caching_test WHERE name = ANY(%s::text[])", [list(ids)]
    )
    return {name: int(word) for name, word in rows}


def all_words() -> list[int]:
    return [int(word) for [word] in fetch_all(ALIAS, "SELECT word FROM caching_test ORDER BY name")]


class Course:
    """What the processes share: the last commit of each name that somebody knows of."""

    def __init__(self, cached: CacheStrategy):
        self.cached, self.page = cached, cached.tagged(["all"])
        self.committed = forked.context.Array("q", len(NAMES))
        self.stale = forked.context.Value("i", 0)
        self.reads = forked.context.Value("i", 0)
        self.end = time.monotonic() + SECONDS

    # --- writers ---------------------------------------------------------------------------------

    def write(self, seed: int) -> None:
        chance = random.Random(seed)
        execute(ALIAS, f"SET transaction_timeout = {LONGEST_MS}")
        while time.monotonic() < self.end:
            try:
                self._write_one(chance)
            except Death:
                pass

    def _write_one(self, chance: random.Random) -> None:
        at, fate = chance.randrange(len(NAMES)), chance.random()
        written = []
        with transaction.atomic(using=ALIAS):
            transaction.on_commit(lambda: self._note(at, written[0], fate < 0.1), using=ALIAS)
            with self.cached.writing(ALIAS, [NAMES[at]], ["all"]):
                if fate > 0.95:
                    die()
                [word] = fetch_one(
                    ALIAS,
                    "UPDATE caching_test SET word = word::bigint + 1 WHERE name = %s"
                    " RETURNING word::bigint",
                    [NAMES[at]],
                )
                written.append(word)
                if fate > 0.9:
                    die()
            if 0.1 < fate < 0.2:
                raise Death

    def _note(self, at: int, word: int, dies: bool) -> None:
        """It is committed; phase two comes after this, if ever."""
        with self.committed.get_lock():
            self.committed[at] = max(self.committed[at], word)
        if dies:
            die()

    # --- readers ---------------------------------------------------------------------------------

    def read(self, seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < self.end:
            known = list(self.committed)
            if chance.random() < 0.5:
                found = self.cached.get_many(NAMES)
                got = [found[name] for name in NAMES]
            else:
                got = self.page.get("page", all_words)
            late = sum(word < floor for word, floor in zip(got, known, strict=True))
            with self.reads.get_lock():
                self.reads.value += 1
                self.stale.value += late

    # --- at rest ---------------------------------------------------------------------------------

    def left(self) -> list[str]:
        """What is cached and is not in the table."""
        rows = dict(zip(NAMES, all_words(), strict=True))
        found = [name for name in NAMES if self.cached.get(name) != rows[name]]
        return found + ["page"] * (self.page.get("page", all_words) != list(rows.values()))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def course(make, table, settings) -> Course:
    settings.CACHE_TIMEOUT_SECONDS = 30.0  # this is about a Redis that is there
    settings.CACHE_WRITER_MS = WRITER_MS
    for name in NAMES:
        table.put(name, "0")
    return Course(make(load=load, early=1.0, wait=0.3))


def test_readers_see_no_value_older_than_the_last_commit_they_could_know_of(course):
    killed = run(course)
    assert killed >= 2
    assert course.reads.value > 50
    assert (course.stale.value, course.left()) == (0, [])
    eventually(lambda: not any(map(at_work, NAMES)), seconds=10)
    assert course.left() == []
    assert course.left() == []  # from what the first look has filled
    assert course.cached.entries(["a"])["a"].stamp


def run(course: Course) -> int:
    """Two readers, and two writers whose place another one takes when they die."""
    readers = [forked.start(course.read, seed) for seed in range(2)]
    seeds = iter(range(100, 10_000))
    writers = [forked.start(course.write, next(seeds)) for _ in range(2)]
    killed = 0
    while time.monotonic() < course.end:
        for at, writer in enumerate(writers):
            writer.join(0.02)
            if writer.exitcode == -signal.SIGKILL:
                killed += 1
                writers[at] = forked.start(course.write, next(seeds))
    for one in (*readers, *writers):
        one.join(30)
    assert [reader.exitcode for reader in readers] == [0, 0]
    return killed


def at_work(name: str) -> bool:
    """Whether a writer's entry still stands."""
    client = redises.client()
    seconds, micro = client.time()
    now = seconds * 1_000 + micro // 1_000
    return client.zcount(Key("test.read-through", name).writers, now, "+inf") > 0
