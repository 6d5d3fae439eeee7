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

import structlog
from django.db import transaction

from apps.caching import connections, invalidations
from apps.caching.fence import Fence, new_token
from apps.caching.keys import Key
from apps.common.databases import require_atomic

log = structlog.get_logger(__name__)
AT_ONCE = 2_000  # keys of one script call, so that no other client waits for long
_at_work: ContextVar[frozenset[str]] = ContextVar("at_work", default=frozenset())


class Changes:
    """The keys that one write has fenced off so far."""

    def __init__(self, alias: str):
        self.alias = alias
        self._begun: list[tuple[list[Key], str]] = []

    def touch(self, keys: Iterable[Key]) -> None:
        """Phase one of ``keys``, and phase two when the transaction on ``alias`` is committed.

        At any time before COMMIT; the later, the shorter readers go without the cache.
        """
        require_atomic(self.alias)
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), AT_ONCE):
            self._touch(wanted[start : start + AT_ONCE])

    def _touch(self, keys: list[Key]) -> None:
        token = new_token()
        try:
            Fence(connections.client()).begin(keys, token)
        except connections.AWAY as error:
            log.warning("cache.away", error=str(error), keys=len(keys))
            noted = invalidations.note(self.alias, keys)
            transaction.on_commit(
                lambda: invalidations.perform_noted(self.alias, noted, keys),
                using=self.alias,
                robust=True,
            )
            return
        self._begun.append((keys, token))
        transaction.on_commit(lambda: _end(keys, token), using=self.alias, robust=True)

    def undo(self) -> None:
        """Phase two of a write that was rolled back."""
        for keys, token in self._begun:
            _end(keys, token)


@contextmanager
def changing(alias: str) -> Iterator[Changes]:
    """The bracket around a transaction on ``alias``, or around a part of one that it fails with."""
    changes = Changes(alias)
    token = _at_work.set(_at_work.get() | {alias})
    try:
        yield changes
    except BaseException:
        changes.undo()
        raise
    finally:
        _at_work.reset(token)


def is_changing(alias: str) -> bool:
    """Whether this is inside a ``changing`` of ``alias``, which knows what it changes."""
    return alias in _at_work.get()


def _end(keys: list[Key], token: str) -> None:
    try:
        Fence(connections.client()).end(keys, token)
    except connections.AWAY as error:
        # Nobody fills while the writer's entry stands, and phase one removed what there was.
        log.warning("cache.away", error=str(error), keys=len(keys))
