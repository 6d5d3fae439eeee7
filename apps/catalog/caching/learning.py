"""Makes the filter of ``known`` out of all products, while others add theirs."""

import time

from apps.caching.shards import Unreachable
from apps.catalog.caching import known
from apps.catalog.caching.names import KNOWN
from apps.catalog.enums import DATABASE
from apps.catalog.selectors import product_ids
from apps.common.databases import fetch_all, fetch_one

BITS_PER_ID = 12  # 0.3 % of false positives when full
LEAST_IDS = 10_000  # room for this many, and for twice as many as there are
PATIENCE = 20.0  # seconds for the transactions that were open when a new filter was begun
# The new filter gets its name only if it is still the one that was begun.
FINISH = """
if redis.call('GETRANGE', KEYS[2], 0, 63) ~= ARGV[1] then return 0 end
redis.call('SETRANGE', KEYS[2], 0, ARGV[2])
redis.call('PERSIST', KEYS[2])
redis.call('RENAME', KEYS[2], KEYS[1])
return 1
"""
OPEN = """
    SELECT l.virtualtransaction FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
      AND a.datname = current_database() AND l.pid <> pg_backend_pid()
"""


def refresh(*, seconds: float = 600.0) -> int:
    """Makes the filter anew where there is none to be trusted, or it is older than that."""
    try:
        header, length, _ = known.run(known.ASK, [KNOWN.value], [])
    except Unreachable:
        return 0
    if known.is_sealed(header, length):
        made = int.from_bytes(header[15:23], "big") / 1e9
        if made <= time.time() < made + seconds:
            return 0
    return rebuild()


def rebuild() -> int:
    """Makes a new filter of all ids there are; returns how many, 0 where it was not made.

    Whoever inserts a product adds it to both. One that added before the new filter was begun, and
    has not committed, would be missing: all transactions that were open then are waited for.
    """
    current, new = known.both()
    [count] = fetch_one(DATABASE, "SELECT count(*) FROM catalog_product")
    bits = max(LEAST_IDS, 2 * count) * BITS_PER_ID
    header = _header(bits)
    unsealed = header + bytes(known.HEADER - len(header))
    try:
        known.shard().run(_begin, new, known.HEADER + known.length_of(bits), unsealed)
        if not _all_ended():
            return 0
        made = 0
        for ids in product_ids(at_once=known.AT_ONCE):
            if known.run(known.ADD, [new], known.hashes_of(ids)) != 1:
                return 0
            made += len(ids)
        sealed = known.run(FINISH, [current, new], [unsealed, header + known.seal(header)])
    except Unreachable:
        return 0
    return made if sealed else 0


def _begin(key: str, length: int, header: bytes) -> None:
    """An empty filter; one that is never finished goes away by itself."""
    with known.client().pipeline() as pipe:
        pipe.unlink(key).setrange(key, length - 1, b"\0").setrange(key, 0, header)
        pipe.expire(key, 600).execute()


def _header(bits: int) -> bytes:
    # The time makes two filters of one size differ.
    return (
        known.MARK
        + bytes([known.HASHES])
        + bits.to_bytes(6, "big")
        + time.time_ns().to_bytes(8, "big")
    ).ljust(32, b"\0")


def _all_ended() -> bool:
    """Waits until every transaction that has written and is open now has ended; False if that
    takes too long."""
    began = {name for [name] in fetch_all(DATABASE, OPEN)}
    until = time.monotonic() + PATIENCE
    while began:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
        began &= {name for [name] in fetch_all(DATABASE, OPEN)}
    return True
