"""Adds what the caches of this process did to its counters, from time to time.

The caches count in plain integers, since they count on every read; a counter of prometheus-client
costs more than a hit.
"""

import threading
from collections.abc import Mapping
from typing import Any

from prometheus_client import Counter, Gauge

from apps.caching import statistics
from apps.caching.local import process
from project.metrics.requests import REGISTRY

ABOUT = {
    "hits": "Values that the cache had.",
    "negative_hits": "Times that the cache knew that there is none.",
    "misses": "Values that the cache did not have.",
    "loads": "Calls of what loads them.",
    "loaded": "Values asked of the database.",
    "fills": "Values put into the cache.",
    "refused": "Values not put into it, since they were changed meanwhile.",
    "fenced": "Values read past the cache, since a writer was at work.",
    "waits": "Times that a reader waited for another's load.",
    "shared": "Values got from another reader of the process.",
    "refreshed": "Values loaded anew before their time was over.",
    "foreign": "Values in the cache that were none of ours.",
    "oversize": "Values too large to keep.",
    "away": "Values asked for while Redis did not answer.",
    "written": "Values that a write changed.",
    "dropped": "Values dropped by hand or by an event.",
}
LOCAL = {
    "hits": "Values that the process had itself.",
    "misses": "Values that it did not have.",
    "expired": "Misses of values that were not confirmed in time.",
    "filled": "Values it kept.",
    "overtaken": "Values it did not keep, since a change came in between.",
    "evicted": "Values that made room for others.",
    "invalidated": "Values that Redis told it to forget.",
    "refuted": "Values that another look at Redis proved old.",
    "emptied": "Times that it forgot everything.",
}
requests = Counter(
    "holdfast_cache_requests", "Values asked of the cache.", ["resource"], registry=REGISTRY
)
counters = {
    name: Counter(f"holdfast_cache_{name}", about, ["resource"], registry=REGISTRY)
    for name, about in ABOUT.items()
}
local_counters = {
    name: Counter(f"holdfast_cache_local_{name}", about, ["cache"], registry=REGISTRY)
    for name, about in LOCAL.items()
}
local_gauges = {
    name: Gauge(
        f"holdfast_cache_local_{name}",
        f"{name.title()} that the processes keep now.",
        ["cache"],
        registry=REGISTRY,
        multiprocess_mode="livesum",
    )
    for name in ("entries", "bytes")
}
_counted: dict[tuple[str, str], int] = {}
_lock = threading.Lock()


def tally() -> None:
    """Counts what was done since the last call; called several times a second, and before what is
    counted is read."""
    with _lock:
        for resource, values in statistics.all_statistics().items():
            known = {name: value for name, value in values.items() if name in counters}
            for name, more in _more(f"resource:{resource}", known):
                counters[name].labels(resource).inc(more)
                if name in ("hits", "negative_hits", "misses"):
                    requests.labels(resource).inc(more)
        for cache, one in process.statistics().items():
            for name, more in _more(f"local:{cache}", {name: getattr(one, name) for name in LOCAL}):
                local_counters[name].labels(cache).inc(more)
            for name, gauge in local_gauges.items():
                gauge.labels(cache).set(getattr(one, name))


def _more(whose: str, values: Mapping[str, Any]):
    for name, value in values.items():
        before = _counted.get((whose, name), 0)
        if value > before:
            yield name, value - before
        _counted[whose, name] = value
