"""Taking changes: in Redis first, at once, with a version each."""

import threading
from collections.abc import Callable, Sequence

import redis
import structlog

from apps.caching.write_behind import layout, scripts
from apps.caching.write_behind.connections import AWAY, client, reached, run
from apps.caching.write_behind.contracts import Buffer, Change, Refused, Version
from apps.caching.write_behind.nudge import nudge

log = structlog.get_logger(__name__)
CHUNK = 500  # changes per script: Redis serves nobody else meanwhile (some ms)
TRIES = 5  # to draw an epoch, while Redis restarts again and again
_REFUSALS = {0: Refused.FULL, -1: Refused.DELETED}
# Buffers whose Redis was away when this process asked last: whoever wrote their rows meanwhile
# could not see what was pending, so what comes now gets a newer epoch.
_suspect: set[str] = set()
_lock = threading.Lock()


class NoEpoch(redis.ConnectionError):
    """Redis lost its epoch again and again while one was drawn."""


def put(buffer: Buffer, changes: Sequence[Change], *, by: str = "") -> list[Version | Refused]:
    """Takes ``changes`` in their order; ``by`` says in the log who brought them.

    Returns for each its version, or why it was not taken. It is in Redis then, and seen by
    ``pending``; as safe as its file (``loss_seconds``). Raises what ``next_epoch`` raises.
    """
    taken: list[Version | Refused] = []
    idle: set[int] = set()
    for start in range(0, len(changes), CHUNK):
        chunk = changes[start : start + CHUNK]
        try:
            if buffer.name in _suspect:
                renew(buffer)
            epoch, counters, free = _put(buffer, chunk, by)
        except redis.OutOfMemoryError as error:
            log.warning("write_behind.no_memory", buffer=buffer.name, error=str(error))
            taken += [Refused.FULL] * len(chunk)
            continue
        except AWAY as error:
            log.warning("write_behind.away", buffer=buffer.name, error=str(error))
            _suspect.add(buffer.name)
            # Later ones of the same key must not get in before these were written elsewhere.
            taken += [Refused.AWAY] * (len(changes) - len(taken))
            break
        taken += [Version(epoch, one) if one > 0 else _REFUSALS[one] for one in counters]
        idle.update(free)
    for shard in idle:
        nudge(buffer.name, shard)
    return taken


def renew(buffer: Buffer) -> None:
    """What comes from now on has a version above all that were ever given. Raises ``AWAY``."""
    with reached():
        client().hdel(f"{layout.base(buffer)}m", "run")
    _suspect.discard(buffer.name)


def _put(buffer: Buffer, chunk: Sequence[Change], by: str) -> tuple[int, list[int], list[int]]:
    words: list = [buffer.shards, buffer.limit, layout.LOG_LENGTH, by, layout.NUDGED_MS]
    for one in chunk:
        words += (layout.shard_of(buffer, one.key), one.key)
        if one.deleted:
            words.append(-1)
            continue
        words.append(2 * len(one.fields))
        for name, value in one.fields.items():
            if name[:1] in (":", ""):
                raise ValueError(f"a field may not be called {name!r}")
            words += (name, value)
    keys = [layout.base(buffer)]
    _, epoch, counters, idle = with_epoch(buffer, lambda: run(scripts.PUT, keys, words))
    return epoch, counters, idle


def with_epoch(buffer: Buffer, attempt: Callable[[], list]) -> list:
    """``attempt()``'s answer, after drawing a new epoch where it asks for one."""
    for _ in range(TRIES):
        answer = attempt()
        if answer[0] != 0:
            return answer
        _draw(buffer, answer[1])
    raise NoEpoch(f"no epoch of {buffer.name} stands")


def _draw(buffer: Buffer, token: bytes) -> None:
    with _lock:  # one of this process's threads is enough
        epoch = buffer.next_epoch()
        if run(scripts.SET_EPOCH, [layout.base(buffer)], [token, epoch]):
            log.info("write_behind.new_epoch", buffer=buffer.name, epoch=epoch)
