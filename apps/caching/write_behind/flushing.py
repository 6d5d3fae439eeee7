"""Writing what is pending to the database, in sets.

Batch under a lease → ``buffer.apply`` commits it → what has not changed since is cleared. Death at
any point repeats harmlessly: rows refuse versions they have, and clearing looks at the version.
"""

import time
from collections.abc import Sequence

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from apps.caching.write_behind import layout, scripts
from apps.caching.write_behind.connections import AWAY, run
from apps.caching.write_behind.contracts import Buffer, Pending, Rejected
from apps.caching.write_behind.leases import Lease
from apps.caching.write_behind.reading import pending_of
from apps.common.databases import is_passing
from apps.common.failpoints import failpoint

log = structlog.get_logger(__name__)
PIECE = 1_000  # keys per script
MAKE_WAY_SECONDS = 0.03  # for whoever waits for the lease


def flush(buffer: Buffer, shard: int, *, seconds: float = 5.0) -> int:
    """Flushes the shard, the oldest first, until nothing is pending or ``seconds`` are over.

    Returns how many keys were written or buried; 0 at once where another has the lease. Raises
    what passes (Redis or the database away) and leaves everything pending then.
    """
    end, done = time.monotonic() + seconds, 0
    while True:
        lease = Lease(buffer, shard)
        if not lease.acquire():
            return done
        try:
            taken_at, batch = _oldest(buffer, shard)
            settled = write(lease, taken_at, batch)
        finally:
            awaited = lease.release()
        done += settled
        if len(batch) < buffer.batch or time.monotonic() > end:
            return done
        if awaited:
            time.sleep(MAKE_WAY_SECONDS)


def flush_now(buffer: Buffer, *, seconds: float = 10.0) -> int:
    """Flushes all shards here and now; as ``flush``."""
    end = time.monotonic() + seconds
    return sum(
        flush(buffer, shard, seconds=max(end - time.monotonic(), 0))
        for shard in range(buffer.shards)
    )


def write(lease: Lease, taken_at: int, batch: Sequence[Pending]) -> int:
    """Writes, buries what cannot be written, clears; returns how many are done with."""
    if not batch:
        return 0
    rejected = {one.key: one.reason for one in _applied(lease, batch)}
    failpoint("write_behind.before_clear")
    for one in batch:
        if one.key in rejected:
            _bury(lease, one, rejected[one.key])
    _clear(lease, taken_at, [one for one in batch if one.key not in rejected])
    failpoint("write_behind.after_clear")
    return len(batch)


def taken(buffer: Buffer, shard: int, keys: Sequence[str]) -> tuple[int, list[Pending]]:
    """What is pending of ``keys``, all of ``shard``, and Redis's time when it was."""
    return _read(run(scripts.TAKE_KEYS, _keys(buffer, shard), keys))


def _oldest(buffer: Buffer, shard: int) -> tuple[int, list[Pending]]:
    first, found = 0, {}
    for offset in range(0, buffer.batch, PIECE):
        most = min(PIECE, buffer.batch - offset)
        now, piece = _read(run(scripts.TAKE_OLDEST, _keys(buffer, shard), [offset, most]))
        first = first or now
        found |= {one.key: one for one in piece}
        if len(piece) < most:
            break
    return first, list(found.values())


def _read(found: list) -> tuple[int, list[Pending]]:
    return found[0], [
        pending_of(key.decode(), zip(*[iter(state)] * 2, strict=True))
        for key, state in found[1:]
        if state
    ]


def _applied(lease: Lease, batch: Sequence[Pending]) -> Sequence[Rejected]:
    """Applies ``batch``, halves of it where it fails, down to the one that is at fault."""
    if not lease.renew():
        log.info("write_behind.lease_lost", buffer=lease.buffer.name, shard=lease.shard)
    try:
        return lease.buffer.apply(batch)
    except (SoftTimeLimitExceeded, *AWAY):
        raise
    except Exception as error:
        if is_passing(error):
            raise
        if len(batch) == 1:
            log.exception("write_behind.rejected", buffer=lease.buffer.name, key=batch[0].key)
            return [Rejected(batch[0].key, f"{type(error).__name__}: {error}"[:1_000])]
    half = len(batch) // 2
    return [*_applied(lease, batch[:half]), *_applied(lease, batch[half:])]


def _bury(lease: Lease, one: Pending, reason: str) -> None:
    words = [one.key, *one.version, reason]
    if run(scripts.BURY, _keys(lease.buffer, lease.shard), words):
        name = lease.buffer.name
        log.warning("write_behind.dead_letter", buffer=name, key=one.key, reason=reason)


def _clear(lease: Lease, taken_at: int, batch: Sequence[Pending]) -> None:
    for start in range(0, len(batch), PIECE):
        words: list = [taken_at]
        for one in batch[start : start + PIECE]:
            words += (one.key, *one.version)
        run(scripts.CLEAR, _keys(lease.buffer, lease.shard), words)


def _keys(buffer: Buffer, shard: int) -> list[str]:
    return [layout.base(buffer), layout.dirty(buffer, shard)]
