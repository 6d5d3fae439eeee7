"""Pending invalidations: what is noted in the database while the cache's Redis is away."""

from collections.abc import Iterable

from apps.caching.keys import Key, named
from apps.caching.shards import shards
from apps.common.databases import execute, fetch_all, fetch_one


def note(alias: str, keys: Iterable[Key]) -> int:
    """Notes that ``keys`` are to be invalidated once the transaction on ``alias`` is committed."""
    [pk] = fetch_one(
        alias,
        "INSERT INTO caching_invalidation (names) VALUES (%s::text[]) RETURNING id",
        [[key.name for key in keys]],
    )
    return pk


def forget(alias: str, pk: int) -> None:
    """Takes a note back whose keys were invalidated after its transaction was committed."""
    execute(alias, "DELETE FROM caching_invalidation WHERE id = %s", [pk])


def perform(alias: str, *, most: int = 100) -> int:
    """Invalidates what the oldest notes on ``alias`` name; returns how many notes are done.

    Two at once only invalidate twice.
    """
    rows = fetch_all(
        alias, "SELECT id, names FROM caching_invalidation ORDER BY id LIMIT %s", [most]
    )
    done = 0
    for pk, names in rows:
        if shards().end_anyway([named(name) for name in names], ""):
            break  # Redis is still away
        forget(alias, pk)
        done += 1
    return done
