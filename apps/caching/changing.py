"""Writes to what is cached: every changed key is fenced off before COMMIT and gone after it.

    with changing("catalog") as cached, transaction.atomic(using="catalog"):
        …
        cached.touch([Key("catalog.product", product_id)])

Redis away: the keys are noted in the same transaction, and invalidated as soon as it is back. The
one network call that may happen inside a transaction: it takes 100 ms at most, once a second.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from apps.caching.keys import Key
from apps.caching.writing import fence_off

_at_work: ContextVar[frozenset[str]] = ContextVar("at_work", default=frozenset())


class Changes:
    """What one write changes of the database ``alias``."""

    def __init__(self, alias: str):
        self.alias = alias

    def touch(self, keys: Iterable[Key]) -> None:
        """Phase one of ``keys``, and phase two when the transaction on ``alias`` is over.

        At any time before COMMIT; the later, the shorter readers go without the cache.
        """
        if wanted := list(dict.fromkeys(keys)):
            fence_off(self.alias, wanted)


@contextmanager
def changing(alias: str) -> Iterator[Changes]:
    """The bracket around a transaction on ``alias``, or around a part of one that it fails with."""
    token = _at_work.set(_at_work.get() | {alias})
    try:
        yield Changes(alias)
    finally:
        _at_work.reset(token)


def is_changing(alias: str) -> bool:
    """Whether this is inside a ``changing`` of ``alias``, which knows what it changes."""
    return alias in _at_work.get()
