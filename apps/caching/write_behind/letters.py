"""Changes that the database refused: seen by staff, tried again or thrown away."""

from collections.abc import Sequence

from apps.caching.write_behind import layout, scripts
from apps.caching.write_behind.changes import with_epoch
from apps.caching.write_behind.connections import client, reached, run
from apps.caching.write_behind.contracts import Buffer, DeadLetter
from apps.caching.write_behind.nudge import nudge
from apps.caching.write_behind.reading import fields_of, known, version_of


def dead_letters(buffer: Buffer, *, most: int = 100) -> list[DeadLetter]:
    """Up to ``most``, the newest first. Raises ``PendingUnknown`` while Redis is away, as all
    here."""
    with known(), reached():
        dead = layout.dead(buffer)
        found = client().zrevrange(dead, 0, most - 1, withscores=True)
        return _letters(buffer, [(one.decode(), at) for one, at in found])


def redrive(buffer: Buffer, ids: Sequence[str]) -> int:
    """Makes them pending once more, each with a new version and beneath what came for its key
    since; returns how many there were."""
    with known(), reached():
        letters = _letters(buffer, [(one, 0.0) for one in ids])
    with known():
        return sum(_redrive(buffer, one) for one in letters)


def discard(buffer: Buffer, ids: Sequence[str], *, by: str = "") -> int:
    """Throws them away for good, which the log says; returns how many there were."""
    with known(), reached():
        return sum(
            run(scripts.DISCARD, [layout.base(buffer)], [one.id, layout.LOG_LENGTH, by])
            for one in _letters(buffer, [(one, 0.0) for one in dict.fromkeys(ids)])
        )


def _letters(buffer: Buffer, found: Sequence[tuple[str, float]]) -> list[DeadLetter]:
    seconds, micros = client().time()
    with client().pipeline(transaction=False) as pipe:
        for one, _ in found:
            pipe.hgetall(f"{layout.dead(buffer)}:{one}")
        states = pipe.execute()
    return [
        DeadLetter(
            id=one,
            key=state[b":k"].decode(),
            version=version_of(state),
            fields=fields_of(state),
            reason=state[b":r"].decode(),
            age=max(seconds + micros / 1e6 - at / 1000, 0.0),
            deleted=b":d" in state,
        )
        for (one, at), state in zip(found, states, strict=True)
        if state
    ]


def _redrive(buffer: Buffer, letter: DeadLetter) -> bool:
    shard = layout.shard_of(buffer, letter.key)
    keys = [layout.base(buffer), layout.dirty(buffer, shard)]
    words = [letter.id, letter.key]
    answer = with_epoch(buffer, lambda: run(scripts.REDRIVE, keys, words))
    nudge(buffer.name, shard)
    return answer[0] == 1
