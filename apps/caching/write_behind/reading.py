"""What is pending, how much, how old, and what a crash of Redis may cost."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import redis
from redis.client import Pipeline

from apps.caching.write_behind import layout
from apps.caching.write_behind.connections import AWAY, asking, reached, reader
from apps.caching.write_behind.contracts import (
    Backlog,
    Buffer,
    Edit,
    Pending,
    PendingUnknown,
    Version,
)

COLON = ord(":")
_COUNTED = ["epoch", "counter"]


@contextmanager
def known() -> Iterator[None]:
    """Raises ``PendingUnknown`` where Redis is away."""
    try:
        yield
    except AWAY as error:
        raise PendingUnknown(str(error)) from error


def pending(buffer: Buffer, keys: Sequence[str]) -> dict[str, Pending]:
    """What the database does not have yet of ``keys`` (others are left out), in one round trip.

    A reader that merges it over the row asks before it reads the row: what is flushed in between it
    sees in the row. Raises ``PendingUnknown`` while Redis is away.
    """
    base = layout.base(buffer)
    found = _ask(lambda pipe: [pipe.hgetall(f"{base}s:{key}") for key in keys])
    return {
        key: pending_of(key, state.items()) for key, state in zip(keys, found, strict=True) if state
    }


def oldest(buffer: Buffer, most: int = 100) -> list[tuple[Pending, float]]:
    """Up to ``most`` pending edits with their ages in seconds, the oldest first."""

    def words(pipe: Pipeline) -> None:
        pipe.time()
        for shard in range(buffer.shards):
            pipe.zrange(layout.dirty(buffer, shard), 0, most - 1, withscores=True)

    now, *parts = _ask(words)
    since = sorted((at, key.decode()) for part in parts for key, at in part)[:most]
    found = pending(buffer, [key for _, key in since])
    return [(found[key], _age(now, at)) for at, key in since if key in found]


def backlog(buffer: Buffer) -> Backlog:
    """Raises ``PendingUnknown`` while Redis is away."""

    def words(pipe: Pipeline) -> None:
        for shard in range(buffer.shards):
            pipe.zcard(layout.dirty(buffer, shard))
            pipe.zrange(layout.dirty(buffer, shard), 0, 0, withscores=True)
        pipe.zcard(layout.dead(buffer))
        pipe.time()

    *found, dead, now = _ask(words)
    ages = [_age(now, first[0][1]) for first in found[1::2] if first]
    return Backlog(sum(found[::2]), max(ages, default=0.0), dead)


def dirty_shards(buffer: Buffer) -> list[int]:
    """The shards with something pending. Raises ``PendingUnknown`` while Redis is away."""
    sets = [layout.dirty(buffer, shard) for shard in range(buffer.shards)]
    found = _ask(lambda pipe: [pipe.exists(one) for one in sets])
    return [shard for shard, some in enumerate(found) if some]


def edits(buffer: Buffer, most: int = 100) -> list[Edit]:
    """The last accepted changes, the newest first."""
    [found] = _ask(lambda pipe: pipe.xrevrange(f"{layout.base(buffer)}l", count=most))
    return [_edit_of(number, state) for number, state in found]


def counted(buffer: Buffer) -> Version | None:
    """The last version that was given out, if any was."""
    [(epoch, counter)] = _ask(lambda pipe: pipe.hmget(f"{layout.base(buffer)}m", _COUNTED))
    return None if epoch is None else Version(int(epoch), int(counter))


def loss_seconds() -> float | None:
    """The most that a crash of Redis takes of what it accepted: 0 with ``appendfsync always``, 1
    with ``everysec`` (another one where its disk is busy syncing: Redis writes later then),
    infinity without a file; None where it cannot be asked."""
    try:
        with reached("reader"):
            told = reader().config_get("append*")
    except (*AWAY, redis.ResponseError):
        return None
    if told.get("appendonly") != "yes":
        return float("inf")
    return {"always": 0.0, "everysec": 1.0}.get(told.get("appendfsync"), float("inf"))


def pending_of(key: str, words: Iterable[tuple[bytes, bytes]]) -> Pending:
    """As Redis keeps it: the hash's names and values."""
    fields, older, epoch, counter, deleted = {}, {}, 0, 0, False
    for name, value in words:
        if name[0] != COLON:
            fields[name.decode()] = value
        elif name == b":e":
            epoch = int(value)
        elif name == b":c":
            counter = int(value)
        elif name == b":d":
            deleted = True
        else:
            older[name[3:].decode()] = Version(*map(int, value.split(b"-")))
    return Pending(key, Version(epoch, counter), fields, deleted, older)


def version_of(state: Mapping[bytes, bytes]) -> Version:
    return Version(int(state[b":e"]), int(state[b":c"]))


def fields_of(state: Mapping[bytes, bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in state.items() if name[:1] != b":"}


def _ask(words: Callable[[Pipeline], object]) -> list:
    with known(), asking() as pipe:
        words(pipe)
        return pipe.execute()


def _edit_of(number: bytes, state: Mapping[bytes, bytes]) -> Edit:
    at = int(number.partition(b"-")[0]) / 1000
    key, by = state[b":k"].decode(), state[b":b"].decode()
    marks = b":d" in state, b":x" in state
    return Edit(at, key, version_of(state), fields_of(state), by, *marks)


def _age(now: tuple[int, int], since: float) -> float:
    """Seconds, of Redis's own time and a score."""
    return max(now[0] + now[1] / 1e6 - since / 1000, 0.0)
