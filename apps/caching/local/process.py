"""The in-process caches of this process and the threads that keep them true.

They begin with the first use, and anew in a process that was forked.
"""

import atexit
import os
import threading
from collections.abc import Callable

from apps.caching import connections
from apps.caching.keys import Key
from apps.caching.local.listener import Listener
from apps.caching.local.store import LocalCache, Statistics
from apps.caching.policies import Local
from apps.caching.shards import shards

_lock = threading.Lock()
_caches: dict[str, LocalCache] = {}
_all: list[LocalCache] = []  # the same, as listeners go through them
_chores: list[Callable[[], None]] = []
_listeners: dict[str, Listener] = {}  # by the shard's name


def local_cache(name: str, policy: Local) -> LocalCache:
    """The cache of that name, bounded by the ``policy`` of whoever asked first."""
    with _lock:
        if name not in _caches:
            _caches[name] = LocalCache(policy)
            _all.append(_caches[name])
        return _caches[name]


def every_moment(chore: Callable[[], None]) -> None:
    """Has ``chore`` called several times a second, and once at the end."""
    if chore not in _chores:
        _chores.append(chore)


def listener_of(key: Key) -> Listener:
    """Who listens to the Redis that keeps ``key``; all are listened to from the first call on."""
    name = shards().of(key).name
    found = _listeners.get(name)
    return found if found is not None else _listening()[name]


def _listening() -> dict[str, Listener]:
    with _lock:
        for shard, client in zip(shards().all, connections.clients(), strict=True):
            if shard.name not in _listeners:
                # One of them does the chores.
                listener = Listener(client, _all, () if _listeners else _chores)
                listener.start()
                _listeners[shard.name] = listener
        return _listeners


def statistics() -> dict[str, Statistics]:
    """By the caches' names."""
    return {name: cache.statistics() for name, cache in sorted(_caches.items())}


def stop() -> None:
    """Ends the threads; the next use begins them anew."""
    with _lock:
        ended = list(_listeners.values())
        _listeners.clear()
    for listener in ended:
        listener.stop()
    for cache in _all:
        cache.clear()


def _forked() -> None:
    """The parent's thread is not here, and its locks may be held for ever."""
    global _lock
    _lock = threading.Lock()
    _listeners.clear()
    for cache in _all:
        cache.reset()


os.register_at_fork(after_in_child=_forked)
atexit.register(stop)
