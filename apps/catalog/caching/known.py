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
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import redis
from django.conf import settings

from apps.caching import connections
from apps.caching.shards import Shard, Unreachable, shards
from apps.catalog.caching.names import KNOWN

MARK, HEADER = b"HFBLOOM1", 64  # bytes
HASHES = 7
AT_ONCE = 5_000

# Bits as BITFIELD and SETBIT count them, behind the header. Numbers stay far below 2^53.
ADD = """
local added = 0
for _, key in ipairs(KEYS) do
    local header = redis.pcall('GETRANGE', key, 0, 63)
    if type(header) == 'string' and string.sub(header, 1, 8) == 'HFBLOOM1' then
        local hashes = string.byte(header, 9)
        local bits = 0
        for i = 10, 15 do bits = bits * 256 + string.byte(header, i) end
        if redis.call('STRLEN', key) == 64 + math.ceil(bits / 8) then
            for i = 1, #ARGV, 2 do
                for n = 0, hashes - 1 do
                    redis.call('SETBIT', key, 512 + (ARGV[i] + n * ARGV[i + 1]) % bits, 1)
                end
            end
            added = added + 1
        end
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


def possible(ids: Sequence[str]) -> list[str]:
    """Those of ``ids`` that may be a product's; all of them where nothing trustworthy is known."""
    try:
        header, length, found = run(ASK, [KNOWN.value], hashes_of(ids))
    except Unreachable:
        return list(ids)
    if not is_sealed(header, length):
        return list(ids)
    return [one for one, digit in zip(ids, found.decode(), strict=True) if digit == "1"]


def add(ids: Iterable[UUID]) -> bool:
    """Makes new products' ids known, in the transaction that has inserted them.

    False where Redis is away: the filter may lack them when it is back, and must go.
    """
    words = hashes_of([str(one) for one in ids])
    try:
        for start in range(0, len(words), 2 * AT_ONCE):
            run(ADD, both(), words[start : start + 2 * AT_ONCE])
    except Unreachable:
        return False
    return True


def is_sealed(header: bytes, length: int) -> bool:
    """Whether this is the beginning of a filter that was made here and is complete."""
    if len(header) != HEADER or not header.startswith(MARK):
        return False
    bits = int.from_bytes(header[9:15], "big")
    return length == HEADER + length_of(bits) and hmac.compare_digest(
        header[32:], seal(header[:32])
    )


def both() -> list[str]:
    """The filter, and the one that is being made; whoever invalidates ``KNOWN`` removes both."""
    return [KNOWN.value, KNOWN.lease]


def run(script: str, keys: Sequence[str], args: Sequence[int | bytes]) -> Any:
    """Raises ``Unreachable``."""
    return shard().run(client().register_script(script), keys, args)


def shard() -> Shard:
    return shards().of(KNOWN)


def client() -> redis.Redis:
    return connections.clients()[shards().all.index(shard())]


def seal(header: bytes) -> bytes:
    key = f"catalog.known:{settings.SECRET_KEY}".encode()
    return hmac.digest(key, settings.CACHE_PREFIX.encode() + header, "sha256")


def length_of(bits: int) -> int:
    return (bits + 7) // 8


def hashes_of(ids: Sequence[str]) -> list[int]:
    """Two numbers of 32 bits of each id; the second is odd."""
    words = []
    for one in ids:
        digest = hashlib.blake2b(one.encode(), digest_size=8).digest()
        words.append(int.from_bytes(digest[:4], "big"))
        words.append(int.from_bytes(digest[4:], "big") | 1)
    return words
