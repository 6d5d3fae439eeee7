"""The two phases around a write: no fill from before its COMMIT on, no old value after it.

Phase one can be done: the writer is registered with the keys, and unregistered when its transaction
is over, one way or the other. A writer that dies leaves its entry, which ends by itself; until then
readers go to the database.

Phase one cannot be done, since Redis is away: a ``strict`` write is refused; any other notes its
keys in a row of its own transaction (``invalidations``), which this process and a scheduled job
work off once it is committed.
"""

import sys
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from django.db import InterfaceError, OperationalError, connections, transaction

from apps.caching import invalidations, retrying
from apps.caching.fence import new_token
from apps.caching.keys import Key
from apps.caching.shards import shards
from apps.caching.statistics import statistics_of
from apps.common.databases import require_atomic
from apps.common.errors import Unavailable

log = structlog.get_logger(__name__)
After = Callable[[], None]
LOST = ("08", "57P")  # sqlstates of a connection, or a server, that ends


@contextmanager
def writing(
    alias: str, keys: Sequence[Key], *, strict: bool = False, after: After | None = None
) -> Iterator[None]:
    """Brackets a write on ``alias``: inside a transaction, or around one.

    ``after`` is called when it is committed and phase two done. Raises ``Unavailable`` where it is
    ``strict`` and Redis away.
    """
    if connections[alias].in_atomic_block:
        fence_off(alias, keys, strict=strict, after=after)
        yield
        return
    token = new_token()
    missed = _begin(keys, token, strict)
    if missed:  # they are to be noted in the same transaction
        shards().end(keys, token)
        with transaction.atomic(using=alias):
            fence_off(alias, keys, after=after)
            yield
        return
    try:
        yield
    except BaseException as error:
        _finish(keys, token, certain=not _is_doubtful(error))
        raise
    _finish(keys, token)
    if after is not None:
        try:
            after()
        except Exception:  # as a robust on_commit: what is committed is no failure
            log.exception("cache.after_write_failed")


def fence_off(
    alias: str, keys: Sequence[Key], *, strict: bool = False, after: After | None = None
) -> None:
    """The same from here to the end of the transaction that ``alias`` is in, whatever that is."""
    require_atomic(alias)
    token = new_token()
    missed = _begin(keys, token, strict)
    ending = Ending(alias, keys, token, after)
    transaction.on_commit(ending, using=alias, robust=True)
    if missed:
        ending.noted = invalidations.note(alias, missed)


class Ending:
    """Phase two, when the transaction is over.

    Django calls it after COMMIT, and lets go of it after ROLLBACK, also to a savepoint: nothing
    else keeps it, so that is when it is deleted.
    """

    def __init__(self, alias: str, keys: Sequence[Key], token: str, after: After | None):
        self.noted: int | None = None
        self.__qualname__ = type(self).__name__  # Django asks a callback that fails for it
        self._alias, self._keys, self._token, self._after = alias, keys, token, after
        self._connection = weakref.ref(connections[alias])
        self._done = False

    def __call__(self) -> None:
        self._done = True
        if _finish(self._keys, self._token) and self.noted is not None:
            invalidations.forget(self._alias, self.noted)
        if self._after is not None:
            self._after()

    def __del__(self) -> None:
        connection = self._connection()
        if self._done or connection is None or sys.is_finalizing():
            return  # or its thread is gone, and the entry ends by itself
        # Django keeps its mark of an error until a COMMIT or ROLLBACK is answered.
        _finish(self._keys, self._token, certain=not connection.errors_occurred)


def drop(keys: Sequence[Key]) -> None:
    """Invalidates what is committed already. Raises ``Unavailable`` where Redis is away: what was
    not dropped is tried again by this process, and better by the caller too."""
    for resource, many in _by_resource(keys):
        statistics_of(resource).dropped += many
    if missed := shards().end(keys, ""):
        retrying.add(missed, "")
        raise Unavailable("the cache does not answer", code="cache_unavailable")


def _begin(keys: Sequence[Key], token: str, strict: bool) -> list[Key]:
    for resource, many in _by_resource(keys):
        statistics_of(resource).written += many
    missed = shards().begin(keys, token)
    if missed:
        log.warning("cache.not_told", keys=len(missed), strict=strict)
        if strict:
            shards().end(keys, token)
            raise Unavailable("the cache does not answer", code="cache_unavailable")
    return missed


def _by_resource(keys: Sequence[Key]) -> Iterable[tuple[str, int]]:
    return Counter([key.resource for key in keys]).items()


def _finish(keys: Sequence[Key], token: str, certain: bool = True) -> bool:
    """Phase two; whether it could be done at once.

    A COMMIT without an answer may still happen: then the values go, but the entry stays until no
    transaction can be that old.
    """
    token = token if certain else ""
    missed = shards().end(keys, token)
    if missed:
        retrying.add(missed, token)
    return not missed


def _is_doubtful(error: BaseException) -> bool:
    """Whether a COMMIT may have been sent whose answer nobody saw."""
    if not isinstance(error, Exception):
        return True  # interrupted anywhere
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OperationalError | InterfaceError):
            sqlstate = getattr(cause.__cause__, "sqlstate", None)
            if sqlstate is None or sqlstate.startswith(LOST):
                return True
        cause = cause.__cause__ or cause.__context__
    return False
