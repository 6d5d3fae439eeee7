"""Changes that the database refused: seen by staff, tried again or thrown away."""

from collections.abc import Sequence
from functools import cache

from apps.caching.write_behind import layout, scripts
from apps.caching.write_behind.changes import with_epoch
from apps.caching.write_behind.connections import AWAY, client
from apps.caching.write_behind.contracts import Buffer, DeadLetter, PendingUnknown
from apps.caching.write_behind.nudge import nudge
from apps.caching.write_behind.reading import fields_of, version_of


def dead_letters(buffer: Buffer, *, most: int = 100) -> list[DeadLetter]:
    """Up to ``most``, the newest first."""
    base = layout.base(buffer)
    try:
        found = client().zrevrange(f"{base}x", 0, most - 1, withscores=True)
        return _letters(buffer, [(one.decode(), at) for one, at in found])
    except AWAY as error:
        raise PendingUnknown(str(error)) from error


def redrive(buffer: Buffer, ids: Sequence[str]) -> int:
    """Makes them pending once more, each with a new version and beneath what came for its key
    since; returns how many there were."""
    try:
        letters = _letters(buffer, [(one, 0.0) for one in ids])
        return sum(_redrive(buffer, one) for one in letters)
    except AWAY as error:
        raise PendingUnknown(str(error)) from error


def discard(buffer: Buffer, ids: Sequence[str]) -> int:
    """Throws them away for good; returns how many there were."""
    base = layout.base(buffer)
    with client().pipeline() as pipe:
        for one in ids:
            pipe.unlink(f"{base}x:{one}")
            pipe.zrem(f"{base}x", one)
        try:
            return sum(pipe.execute()[1::2])
        except AWAY as error:
            raise PendingUnknown(str(error)) from error


def _letters(buffer: Buffer, found: Sequence[tuple[str, float]]) -> list[DeadLetter]:
    seconds, micros = client().time()
    with client().pipeline(transaction=False) as pipe:
        for one, _ in found:
            pipe.hgetall(f"{layout.base(buffer)}x:{one}")
        states = pipe.execute()
    return [
        DeadLetter(
            id=one,
            key=state[b":k"].decode(),
            version=version_of(state),
            fields=fields_of(state),
            reason=state[b":r"].decode(),
            age=seconds + micros / 1e6 - at / 1000,
            deleted=b":d" in state,
        )
        for (one, at), state in zip(found, states, strict=True)
        if state
    ]


def _redrive(buffer: Buffer, letter: DeadLetter) -> bool:
    shard = layout.shard_of(buffer, letter.key)
    keys = [layout.base(buffer), layout.dirty(buffer, shard)]
    words = [letter.id, letter.key]
    answer = with_epoch(buffer, lambda: _script()(keys=keys, args=words))
    nudge(buffer.name, shard)
    return answer[0] == 1


@cache
def _script():
    return client().register_script(scripts.REDRIVE)
