"""No order of a reader's fill and two writers that may die leaves an old value in the cache."""

import random
from collections.abc import Iterator

import pytest

from apps.caching import connections, scripts
from apps.caching.fence import Fence
from tests.concurrency.caching.interleavings import (
    NaiveStage,
    Stage,
    TaggedStage,
    merged,
    orders,
)


@pytest.fixture
def fence() -> Iterator[Fence]:
    connections.client().flushdb()
    yield Fence(connections.client())
    connections.client().flushdb()


@pytest.fixture(autouse=True)
def _patience(settings):
    """Thousands of keys in one call take longer than a shop would wait."""
    settings.CACHE_TIMEOUT_SECONDS = 10.0


def played(stage: Stage) -> Stage:
    stage.play()
    return stage


@pytest.mark.parametrize("filled", [False, True], ids=["empty", "filled"])
@pytest.mark.parametrize("kind", [Stage, TaggedStage], ids=["a value", "under a tag"])
def test_all_orders_of_a_reader_and_two_mortal_writers_end_fresh(fence, kind, filled):
    every = list(orders())
    stage = played(kind(fence, every, filled=filled))

    assert len(every) == 7_910
    assert stage.fills > 100  # readers do get to fill
    assert stage.stale() == []


def test_deleting_after_the_commit_alone_is_found_to_be_stale(fence):
    every = list(orders(["ce", "c"]))  # it has nothing that could end by itself
    assert played(NaiveStage(fence, every, filled=True)).stale()
    immortal = list(orders(["ce"]))
    assert played(NaiveStage(fence, immortal)).stale()


def test_two_readers_do_not_help_each_other_to_an_old_value(fence):
    chance = random.Random(6)
    actors = [("r", "lgf"), ("s", "lgf"), ("1", "bce"), ("2", "bcx")]
    some = [shuffled(actors, chance) for _ in range(2_000)]
    assert played(Stage(fence, some)).stale() == []


def shuffled(actors, chance):
    """One order by chance."""
    turns = [who for who, steps in actors for _ in steps]
    chance.shuffle(turns)
    left = {who: iter(steps) for who, steps in actors}
    return tuple((who, next(left[who])) for who in turns)


def test_orders_keep_each_actors_steps_in_their_order():
    assert list(merged([("r", "ab"), ("1", "x")])) == [
        (("r", "a"), ("r", "b"), ("1", "x")),
        (("r", "a"), ("1", "x"), ("r", "b")),
        (("1", "x"), ("r", "a"), ("r", "b")),
    ]


# --- sabotage: with a guard taken out of the scripts, the test above would fail -----------------

UNLINK = "redis.call('UNLINK', KEYS[i], KEYS[i + 1])"
ENTRY = "redis.pcall('ZADD', writers, now + ARGV[2], ARGV[1])"
TOKEN = "redis.pcall('GET', KEYS[i + 1]) == ARGV[1]"


def without(monkeypatch, script: str, text: str, instead: str = "") -> Fence:
    source = getattr(scripts, script)
    assert text in source
    monkeypatch.setattr(scripts, script, source.replace(text, instead))
    return Fence(connections.client())


@pytest.mark.parametrize(
    ("script", "text", "instead", "writers"),
    [
        pytest.param("BEGIN", ENTRY, "0", ["bcx"], id="the writer's entry"),
        pytest.param("FILL", TOKEN, "true", ["bce"], id="the lease's token"),
        pytest.param("LOOK", "if busy(writers) then return {2} end", "", ["bcx"], id="its look"),
        pytest.param("BEGIN", UNLINK, "", ["bcx"], id="phase one"),
    ],
)
def test_without_this_guard_an_old_value_stays(monkeypatch, fence, script, text, instead, writers):
    sabotaged = without(monkeypatch, script, text, instead)
    assert played(Stage(sabotaged, list(orders(writers)), filled=True)).stale()


def test_without_phase_two_readers_go_without_the_cache_but_see_nothing_old(monkeypatch, fence):
    sabotaged = without(monkeypatch, "END", UNLINK)
    assert played(Stage(sabotaged, list(orders(["bce"])), filled=True)).stale() == []


def test_without_the_generations_end_an_old_page_stays(monkeypatch, fence):
    sabotaged = without(monkeypatch, "BEGIN", UNLINK)
    assert played(TaggedStage(sabotaged, list(orders(["bcx"])), filled=True)).stale()
