"""Pending invalidations: what is noted in the database while the cache's Redis is away."""

from collections.abc import Iterable, Sequence

import structlog

from apps.caching import connections
from apps.caching.fence import Fence
from apps.caching.keys import Key
from apps.common.databases import execute, fetch_all, fetch_one

log = structlog.get_logger(__name__)


def note(alias: str, keys: Iterable[Key]) -> int:
    """Notes that ``keys`` are to be invalidated once the transaction on ``alias`` is committed."""
    [pk] = fetch_one(
        alias,
        "INSERT INTO caching_invalidation (names) VALUES (%s::text[]) RETURNING id",
        [[key.name for key in keys]],
    )
    return pk


def perform_noted(alias: str, pk: int, keys: Sequence[Key]) -> bool:
    """Invalidates what was just noted and committed; False where Redis is still away."""
    try:
        Fence(connections.client()).end(keys, "")
    except connections.AWAY as error:
        log.warning("cache.away", error=str(error), keys=len(keys))
        return False
    execute(alias, "DELETE FROM caching_invalidation WHERE id = %s", [pk])
    return True


def perform(alias: str, *, most: int = 100) -> int:
    """Invalidates what the oldest notes on ``alias`` name; returns how many notes are done.

    Two at once only invalidate twice.
    """
    rows = fetch_all(
        alias, "SELECT id, names FROM caching_invalidation ORDER BY id LIMIT %s", [most]
    )
    done = 0
    for pk, names in rows:
        if not perform_noted(alias, pk, [Key(*name.split(":", 1)) for name in names]):
            break
        done += 1
    return done
