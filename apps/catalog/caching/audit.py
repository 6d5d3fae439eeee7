"""Does the cache say what the database says?"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from apps.caching import connections, scripts
from apps.caching.fence import Look
from apps.caching.keys import Key
from apps.caching.shards import Unreachable, shards
from apps.caching.strategies import strategy
from apps.catalog.caching import known
from apps.catalog.caching.names import CATEGORIES, PRODUCT, TREE
from apps.catalog.selectors import product_ids

AT_ONCE = 500
LOOKS, BETWEEN = 3, 0.2  # a suspect counts if it is one in so many looks, seconds apart


def cache_matches() -> tuple[int, Mapping[str, str]]:
    """Products and the category tree as Redis has them, compared with what a load gives; how many
    were compared, and those that differ in every look.

    Products that nobody asked for are in no cache, and are not counted.
    """
    compared, wrong = _compare(CATEGORIES, [TREE.id])
    for ids in product_ids(at_once=AT_ONCE):
        more, differing = _compare(PRODUCT, ids)
        compared += more
        wrong |= differing
        missing = set(ids) - set(known.possible(ids))
        wrong |= dict.fromkeys(missing, "there, but taken for an id that never was")
    return compared, wrong


def _compare(name: str, ids: Sequence[str]) -> tuple[int, dict[str, str]]:
    kept = _kept(name, ids)
    compared, suspects = len(kept), _differing(name, kept)
    for _ in range(LOOKS - 1):
        if not suspects:
            break
        time.sleep(BETWEEN)
        suspects = _differing(name, _kept(name, list(suspects)))
    return compared, suspects


def _differing(name: str, kept: Mapping[str, Any | None]) -> dict[str, str]:
    if not kept:
        return {}
    loaded = strategy(name).resource.load(list(kept))
    return {
        one: f"the cache has {_short(value)}, the database {_short(loaded.get(one))}"
        for one, value in kept.items()
        if value != loaded.get(one)
    }


def _kept(name: str, ids: Sequence[str]) -> dict[str, Any | None]:
    """What Redis has of these (None: "there is none"), as readers would take it; no lease."""
    ring, clients, form = shards(), connections.clients(), strategy(name).form
    kept: dict[str, Any | None] = {}
    for shard, client in zip(ring.all, clients, strict=True):
        keys = [key for key in (Key(name, one) for one in ids) if ring.of(key) is shard]
        pipe = client.pipeline(transaction=False)
        for key in keys:
            pipe.hgetall(key.value)
        try:
            found = shard.run(pipe.execute)
        except Unreachable:
            continue
        for key, fields in zip(keys, found, strict=True):
            if fields:
                try:
                    kept[key.id] = form.entry(Look(scripts.HIT, 0, fields)).value
                except ValueError:
                    continue  # readers do not take it either
    return kept


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(getattr(value, "json", value))
    return text if len(text) <= 400 else f"{text[:400]}…"
