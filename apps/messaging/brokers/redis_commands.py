"""What both ends of a stream need: scripts, errors, and the order of entries."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from apps.messaging.brokers.base import BrokerDown

# KEYS: what holds the last id given, then streams; ARGV: index of the stream, topic and body of
# each message. Ids grow across all streams, so that a reader of several can put them in order;
# entries are numbered in their stream, so that what lies between two is told without counting.
APPEND = """
local time = redis.call('TIME')
local ms, seq = time[1] * 1000 + math.floor(time[2] / 1000), -1
local function after(id)
  local its_ms, its_seq = string.match(id or '', '^(%d+)-(%d+)$')
  its_ms, its_seq = tonumber(its_ms), tonumber(its_seq)
  if its_ms and (its_ms > ms or (its_ms == ms and its_seq > seq)) then ms, seq = its_ms, its_seq end
end
after(redis.call('GET', KEYS[1]) or nil)
local numbers = {}
for i = 2, #KEYS do
  local last = redis.call('XREVRANGE', KEYS[i], '+', '-', 'COUNT', 1)[1]
  numbers[i] = last and tonumber(last[2][2]) or 0
  after(last and last[1])
end
local id
for i = 1, #ARGV, 3 do
  local key = tonumber(ARGV[i])
  seq, numbers[key] = seq + 1, numbers[key] + 1
  id = string.format('%.0f-%.0f', ms, seq)
  redis.call('XADD', KEYS[key], id, 'n', numbers[key], 't', ARGV[i + 1], 'b', ARGV[i + 2])
end
redis.call('SET', KEYS[1], id)
"""

# KEYS: a stream; ARGV: group, consumer or '' for any, milliseconds of idleness. A consumer's
# pending entries would be deleted with it, so the two are one step.
FORGET_CONSUMERS = """
local forgotten = 0
for _, facts in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #facts, 2 do consumer[facts[i]] = facts[i + 1] end
  if consumer.pending == 0 and consumer.idle >= tonumber(ARGV[3])
      and (ARGV[2] == '' or ARGV[2] == consumer.name) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    forgotten = forgotten + 1
  end
end
return forgotten
"""

LAST_ID = "18446744073709551615-18446744073709551614"  # nothing comes after it; one more wraps


@contextmanager
def errors() -> Iterator[None]:
    """Turns what the client raises into ``BrokerDown``."""
    try:
        yield
    except redis.RedisError as error:
        raise BrokerDown(f"Redis: {error}") from error


def is_missing(answer: Any) -> bool:
    """Whether ``answer`` is the error that a stream or a group does not exist; raises others."""
    if not isinstance(answer, Exception):
        return False
    if "no such key" in str(answer).lower() or str(answer).startswith("NOGROUP"):
        return True
    raise answer


def entry_order(entry_id: bytes) -> tuple[int, int]:
    """``entry_id`` as something that sorts."""
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds), int(number or 0)
