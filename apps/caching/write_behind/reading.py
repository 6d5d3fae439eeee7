"""What is pending, how much, how old, and what a crash of Redis may cost."""

from collections.abc import Mapping, Sequence

import redis
import structlog

from apps.caching.write_behind import layout
from apps.caching.write_behind.connections import AWAY, reader
from apps.caching.write_behind.contracts import (
    Backlog,
    Buffer,
    Edit,
    Pending,
    PendingUnknown,
    Version,
)

log = structlog.get_logger(__name__)


def pending(buffer: Buffer, keys: Sequence[str]) -> dict[str, Pending]:
    """What the database does not have yet of ``keys`` (others are left out), in one round trip.

    A reader that merges it over the row asks before it reads the row: what is flushed in between it
    sees in the row. Raises ``PendingUnknown`` while Redis is away.
    """
    base = layout.base(buffer)
    with reader().pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hgetall(f"{base}s:{key}")
        try:
            found = pipe.execute()
        except AWAY as error:
            raise PendingUnknown(str(error)) from error
    return {key: pending_of(key, state) for key, state in zip(keys, found, strict=True) if state}


def oldest(buffer: Buffer, most: int = 100) -> list[tuple[Pending, float]]:
    """Up to ``most`` pending edits with their ages in seconds, the oldest first."""
    seconds = _now()
    with reader().pipeline(transaction=False) as pipe:
        for shard in range(buffer.shards):
            pipe.zrange(layout.dirty(buffer, shard), 0, most - 1, withscores=True)
        try:
            since = sorted((at, key.decode()) for part in pipe.execute() for key, at in part)
        except AWAY as error:
            raise PendingUnknown(str(error)) from error
    since = since[:most]
    found = pending(buffer, [key for _, key in since])
    return [(found[key], seconds - at / 1000) for at, key in since if key in found]


def backlog(buffer: Buffer) -> Backlog:
    """Raises ``PendingUnknown`` while Redis is away."""
    seconds = _now()
    with reader().pipeline(transaction=False) as pipe:
        for shard in range(buffer.shards):
            pipe.zcard(layout.dirty(buffer, shard))
            pipe.zrange(layout.dirty(buffer, shard), 0, 0, withscores=True)
        pipe.zcard(f"{layout.base(buffer)}x")
        try:
            *found, dead = pipe.execute()
        except AWAY as error:
            raise PendingUnknown(str(error)) from error
    since = [one[0][1] / 1000 for one in found[1::2] if one]
    return Backlog(sum(found[::2]), max(seconds - min(since), 0.0) if since else 0.0, dead)


def dirty_shards(buffer: Buffer) -> list[int]:
    """The shards with something pending. Raises ``PendingUnknown`` while Redis is away."""
    with reader().pipeline(transaction=False) as pipe:
        for shard in range(buffer.shards):
            pipe.exists(layout.dirty(buffer, shard))
        try:
            return [shard for shard, some in enumerate(pipe.execute()) if some]
        except AWAY as error:
            raise PendingUnknown(str(error)) from error


def edits(buffer: Buffer, most: int = 100) -> list[Edit]:
    """The last accepted changes, the newest first."""
    try:
        found = reader().xrevrange(f"{layout.base(buffer)}l", count=most)
    except AWAY as error:
        raise PendingUnknown(str(error)) from error
    return [_edit_of(number, state) for number, state in found]


def loss_seconds() -> float | None:
    """The most that a crash of Redis takes of what it accepted: 0 with ``appendfsync always``, 1
    with ``everysec``, infinity without a file; None where it may not be asked."""
    try:
        told = reader().config_get("append*")
    except (*AWAY, redis.ResponseError):
        return None
    if told.get("appendonly") != "yes":
        return float("inf")
    return {"always": 0.0, "everysec": 1.0}.get(told.get("appendfsync"), float("inf"))


def pending_of(key: str, state: Mapping[bytes, bytes]) -> Pending:
    """As Redis keeps it."""
    return Pending(key, version_of(state), fields_of(state), b":d" in state)


def version_of(state: Mapping[bytes, bytes]) -> Version:
    return Version(int(state[b":e"]), int(state[b":c"]))


def fields_of(state: Mapping[bytes, bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in state.items() if name[:1] != b":"}


def _edit_of(number: bytes, state: Mapping[bytes, bytes]) -> Edit:
    at = int(number.partition(b"-")[0]) / 1000
    key, by = state[b":k"].decode(), state[b":b"].decode()
    return Edit(at, key, version_of(state), fields_of(state), by, b":d" in state)


def _now() -> float:
    """Redis's time in seconds; ages are differences of it."""
    try:
        seconds, micros = reader().time()
    except AWAY as error:
        raise PendingUnknown(str(error)) from error
    return seconds + micros / 1e6
