"""Where a buffer's state lies in the durable Redis.

Everything of a buffer has one hash tag, so one script may touch it:

- ``m``: hash of ``epoch``, ``run`` (the Redis that the epoch belongs to), ``counter``, ``wanted``;
- ``s:<key>``: hash of the pending fields, with ``:e`` epoch, ``:c`` counter, ``:d`` tombstone;
- ``d:<shard>``: sorted set of dirty keys by the time in ms since when; no expiry anywhere here;
- ``l``: stream, capped: what came;
- ``n:<shard>``: a worker is on its way; ``lease:<shard>``: who flushes; ``wait:<shard>``: who
  waits;
- ``x``, ``x:<id>``: dead letters.
"""

from zlib import crc32

from django.conf import settings

from apps.caching.write_behind.contracts import Buffer

LOG_LENGTH = 10_000
NUDGED_MS = 1_000  # as long as a nudge is believed to bring a worker


def base(buffer: Buffer) -> str:
    return f"{settings.CACHE_PREFIX}:behind:{{{buffer.name}}}:"


def dirty(buffer: Buffer, shard: int) -> str:
    return f"{base(buffer)}d:{shard}"


def shard_of(buffer: Buffer, key: str) -> int:
    return crc32(key.encode()) % buffer.shards


def nudged(buffer: Buffer, shard: int) -> str:
    return f"{base(buffer)}n:{shard}"


def dead(buffer: Buffer) -> str:
    return f"{base(buffer)}x"
