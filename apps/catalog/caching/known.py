"""Ids that never were a product's: a Bloom filter in Redis answers for them without a query.

One string of Redis holds the bits behind a header: mark, number of hashes, number of bits, when it
was made, and a seal over these by ``SECRET_KEY``. It is written under another name and gets its
own, and its seal, when all ids are in it. What has no seal of ours, or another length than it says,
says nothing; evicted or flushed, header and bits go together.

Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13(7), 1970; two hashes
make all others: Kirsch and Mitzenmacher, "Less Hashing, Same Performance", 2008.
"""

import hashlib
import hmac
import time
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import redis
from django.conf import settings

from apps.caching import connections
from apps.caching.shards import Shard, Unreachable, shards
from apps.catalog.caching.names import KNOWN
from apps.catalog.enums import DATABASE
from apps.common.databases import fetch_all, fetch_one

MARK, HEADER = b"HFBLOOM1", 64  # bytes
HASHES = 7
BITS_PER_ID = 12  # 0.3 % of false positives when full
LEAST_IDS = 10_000  # room for this many, and for twice as many as there are
AT_ONCE = 5_000
PATIENCE = 20.0  # seconds for the transactions that were open when a new filter was begun

# Bits as BITFIELD and SETBIT count them, behind the header. Numbers stay far below 2^53.
ADD = """
local added = 0
for _, key in ipairs(KEYS) do
    local header = redis.pcall('GETRANGE', key, 0, 63)
    if type(header) == 'string' and string.sub(header, 1, 8) == 'HFBLOOM1' then
        local hashes = string.byte(header, 9)
        local bits = 0
        for i = 10, 15 do bits = bits * 256 + string.byte(header, i) end
        for i = 1, #ARGV, 2 do
            for n = 0, hashes - 1 do
                redis.call('SETBIT', key, 512 + (ARGV[i] + n * ARGV[i + 1]) % bits, 1)
            end
        end
        added = added + 1
    end
end
return added
"""
# {header, length, "1010…"}: a digit for each id, 1 where it may be known.
ASK = """
local header = redis.pcall('GETRANGE', KEYS[1], 0, 63)
if type(header) ~= 'string' or #header < 64 then return {'', 0, ''} end
local hashes = string.byte(header, 9)
local bits = 0
for i = 10, 15 do bits = bits * 256 + string.byte(header, i) end
if hashes < 1 or hashes > 32 or bits < 1 then return {'', 0, ''} end
local out = {}
for i = 1, #ARGV, 2 do
    local found = '1'
    for n = 0, hashes - 1 do
        if redis.call('GETBIT', KEYS[1], 512 + (ARGV[i] + n * ARGV[i + 1]) % bits) == 0 then
            found = '0'
            break
        end
    end
    out[#out + 1] = found
end
return {header, redis.call('STRLEN', KEYS[1]), table.concat(out)}
"""
# The new filter gets its name only if it is still the one that was begun.
FINISH = """
if redis.call('GETRANGE', KEYS[2], 0, 63) ~= ARGV[1] then return 0 end
redis.call('SETRANGE', KEYS[2], 0, ARGV[2])
redis.call('PERSIST', KEYS[2])
redis.call('RENAME', KEYS[2], KEYS[1])
return 1
"""


def possible(ids: Sequence[str]) -> list[str]:
    """Those of ``ids`` that may be a product's; all of them where nothing trustworthy is known."""
    try:
        header, length, found = _run(ASK, [KNOWN.value], _hashes(ids))
    except Unreachable:
        return list(ids)
    if not is_sealed(header, length):
        return list(ids)
    return [one for one, digit in zip(ids, found.decode(), strict=True) if digit == "1"]


def add(ids: Iterable[UUID]) -> bool:
    """Makes new products' ids known, in the transaction that has inserted them.

    False where Redis is away: the filter may lack them when it is back, and must go.
    """
    words = _hashes([str(one) for one in ids])
    try:
        for start in range(0, len(words), 2 * AT_ONCE):
            _run(ADD, _both(), words[start : start + 2 * AT_ONCE])
    except Unreachable:
        return False
    return True


def is_sealed(header: bytes, length: int) -> bool:
    """Whether this is the beginning of a filter that was made here and is complete."""
    if len(header) != HEADER or not header.startswith(MARK):
        return False
    bits = int.from_bytes(header[9:15], "big")
    return length == HEADER + _bytes(bits) and hmac.compare_digest(header[32:], _seal(header[:32]))


def rebuild() -> int:
    """Makes a new filter of all ids there are; returns how many, 0 where it was not made.

    Whoever inserts a product adds it to both. One that added before the new filter was begun, and
    has not committed, would be missing: all transactions that were open then are waited for.
    """
    current, new = _both()
    [count] = fetch_one(DATABASE, "SELECT count(*) FROM catalog_product")
    bits = max(LEAST_IDS, 2 * count) * BITS_PER_ID
    header = _header(bits)
    unsealed = header + bytes(HEADER - len(header))
    try:
        _shard().run(_begin, new, HEADER + _bytes(bits), unsealed)
        if not _all_ended():
            return 0
        made = 0
        for ids in _all_ids():
            if _run(ADD, [new], _hashes(ids)) != 1:
                return 0
            made += len(ids)
        sealed = _run(FINISH, [current, new], [unsealed, header + _seal(header)])
    except Unreachable:
        return 0
    return made if sealed else 0


def _begin(key: str, length: int, header: bytes) -> None:
    """An empty filter; one that is never finished goes away by itself."""
    with _client().pipeline() as pipe:
        pipe.unlink(key).setrange(key, length - 1, b"\0").setrange(key, 0, header)
        pipe.expire(key, 600).execute()


def _both() -> list[str]:
    """The filter, and the one that is being made."""
    return [KNOWN.value, f"{KNOWN.base}:new"]


def _run(script: str, keys: Sequence[str], args: Sequence[int | bytes]) -> Any:
    """Raises ``Unreachable``."""
    return _shard().run(_client().register_script(script), keys, args)


def _shard() -> Shard:
    return shards().of(KNOWN)


def _client() -> redis.Redis:
    return connections.clients()[shards().all.index(_shard())]


def _header(bits: int) -> bytes:
    # The time makes two filters of one size differ.
    return (
        MARK + bytes([HASHES]) + bits.to_bytes(6, "big") + time.time_ns().to_bytes(8, "big")
    ).ljust(32, b"\0")


def _seal(header: bytes) -> bytes:
    key = f"catalog.known:{settings.SECRET_KEY}".encode()
    return hmac.digest(key, settings.CACHE_PREFIX.encode() + header, "sha256")


def _bytes(bits: int) -> int:
    return (bits + 7) // 8


def _hashes(ids: Sequence[str]) -> list[int]:
    """Two numbers of 32 bits of each id; the second is odd."""
    words = []
    for one in ids:
        digest = hashlib.blake2b(one.encode(), digest_size=8).digest()
        words.append(int.from_bytes(digest[:4], "big"))
        words.append(int.from_bytes(digest[4:], "big") | 1)
    return words


OPEN = """
    SELECT l.virtualtransaction FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
      AND a.datname = current_database() AND l.pid <> pg_backend_pid()
"""


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


def _all_ids() -> Iterable[list[str]]:
    """The ids of all products, whatever their state, in portions."""
    last = 0
    while True:
        rows = fetch_all(
            DATABASE,
            "SELECT id, public_id FROM catalog_product WHERE id > %s ORDER BY id LIMIT %s",
            [last, AT_ONCE],
        )
        if not rows:
            return
        yield [str(public_id) for _, public_id in rows]
        last = rows[-1][0]
