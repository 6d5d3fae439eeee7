"""Which shard keeps a key."""

from collections import Counter

from apps.caching.keys import Key
from apps.caching.shards import Shards

URLS = [f"redis://user:secret@cache-{n}:6379/0" for n in range(4)]
KEYS = [Key("catalog.product", f"{n:032x}") for n in range(4_000)]


def owners(urls: list[str]) -> dict[Key, str]:
    ring = Shards(urls)
    return {key: ring.of(key).name for key in KEYS}


def test_keys_spread_evenly():
    counts = Counter(owners(URLS).values())
    assert len(counts) == 4
    assert min(counts.values()) > 700
    assert max(counts.values()) < 1_300


def test_one_shard_more_moves_only_the_keys_that_it_gets():
    before, after = owners(URLS), owners([*URLS, "redis://cache-4:6379/0"])
    moved = [key for key in KEYS if before[key] != after[key]]
    assert {after[key] for key in moved} == {"cache-4:6379/0?"}
    assert 500 < len(moved) < 1_100  # a fifth


def test_neither_the_order_of_the_urls_nor_a_password_matters():
    others = [url.replace("secret", "changed") for url in reversed(URLS)]
    assert owners(URLS) == owners(others)


def test_several_databases_of_one_server_are_shards_of_their_own():
    ring = Shards(["unix:///run/redis.sock?db=1", "unix:///run/redis.sock?db=2"])
    assert {ring.of(key).name for key in KEYS} == {one.name for one in ring.all}
    assert len(ring.all) == 2
