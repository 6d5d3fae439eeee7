"""Commands answered once: the record of the answer commits with what the command did."""

from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from apps.common.contracts import from_builtins, request_hash, to_builtins
from apps.common.databases import execute, fetch_one, require_atomic, write
from apps.common.errors import Conflict, HoldfastError

R = TypeVar("R")
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
_KNOWN = """
    SELECT request_hash, response::text FROM messaging_idempotencyrecord
    WHERE principal = %s AND key = %s
"""
_RECORD = """
    INSERT INTO messaging_idempotencyrecord (principal, key, request_hash, response)
    VALUES (%s, %s, %s, %s::jsonb)
"""


class KeyReused(HoldfastError):
    code, status = "idempotency_key_reused", 422
    title = "This Idempotency-Key was used for another request"


class StillRunning(Conflict):
    code, retryable = "request_in_progress", True
    title = "A request with this Idempotency-Key is still running"


def once(
    alias: str, principal: str, key: str, request: Any, kind: type[R], command: Callable[[], R]
) -> R:
    """Runs ``command`` at most once for ``(principal, key)`` and returns its answer ever after.

    Works inside the caller's transaction on ``alias``, so that the record commits with the
    command's effects; a command that raises leaves no record. Same key with another ``request``
    raises ``KeyReused`` (422); the same key running elsewhere ``StillRunning`` (409).
    """
    require_atomic(alias)
    digest = request_hash(request)
    # Two statements, not one: what was answered until the lock was free must be seen.
    [free] = fetch_one(alias, _LOCK, [f"{principal} {key}"], prepared=True)
    if not free:
        raise StillRunning()
    known = _known(alias, principal, key, digest, kind)
    if known is not None:
        return known
    answer = command()
    response = orjson.dumps(to_builtins(answer)).decode()
    write(alias, _RECORD, [principal, key, digest, response])
    return answer


def answered(alias: str, principal: str, key: str, request: Any, kind: type[R]) -> R | None:
    """The stored answer, if the command has been answered; raises ``KeyReused`` like ``once``.

    For commands that look around before their transaction: a repeat must not fail on what has
    changed since, nor on a part that is away by now.
    """
    return _known(alias, principal, key, request_hash(request), kind)


def _known(alias: str, principal: str, key: str, digest: str, kind: type[R]) -> R | None:
    row = fetch_one(alias, _KNOWN, [principal, key], prepared=True)
    if row is None:
        return None
    if row[0] != digest:
        raise KeyReused()
    return from_builtins(kind, orjson.loads(row[1]))


def forget(alias: str, *, hours: int, most: int) -> int:
    """Removes at most ``most`` answers older than ``hours``; returns how many."""
    return execute(
        alias,
        """
        DELETE FROM messaging_idempotencyrecord WHERE id IN (
            SELECT id FROM messaging_idempotencyrecord
            WHERE created_at < now() - make_interval(hours => %s)
            ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED
        )
        """,
        [hours, most],
    )
