"""The in-process caches of this process and the threads that keep them true.

They begin with the first use, and anew in a process that was forked.
"""

import atexit
import os
import threading
import time
from collections.abc import Callable

from apps.caching import connections
from apps.caching.local.listener import Listener
from apps.caching.local.store import LocalCache, Proof, Statistics
from apps.caching.policies import Local

_lock = threading.Lock()
_caches: dict[str, LocalCache] = {}
_all: list[LocalCache] = []  # the same, as listeners go through them
_chores: list[Callable[[], None]] = []
_listeners: list[Listener] = []


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


def proof() -> Proof:
    """Whether changes of the cache's Redis are being heard; listens from the first call on."""
    if not _listeners:
        with _lock:
            if not _listeners:
                listener = Listener(connections.client(), _all, _chores)
                listener.start()
                _listeners.append(listener)
    return _listeners[0].proof


def heard(proof: Proof) -> bool:
    """Whether the Redis of ``proof`` was heard of within the last second."""
    return time.monotonic() < proof.until


def statistics() -> dict[str, Statistics]:
    """By the caches' names."""
    return {name: cache.statistics() for name, cache in sorted(_caches.items())}


def stop() -> None:
    """Ends the threads; the next use begins them anew."""
    with _lock:
        ended, _listeners[:] = list(_listeners), []
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
