"""What both ends of a stream need: scripts, errors, and the order of entries."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from apps.messaging.brokers.base import BrokerDown

# KEYS: streams; ARGV: index of the stream, topic and body of each message. Entries are numbered in
# their stream, so that what lies between two of them can be told without counting.
APPEND = """
local numbers = {}
for i = 1, #ARGV, 3 do
  local key = KEYS[tonumber(ARGV[i])]
  local number = numbers[key]
  if not number then
    local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
    number = last and tonumber(last[2][2]) or 0
  end
  number = number + 1
  numbers[key] = number
  redis.call('XADD', key, '*', 'n', number, 't', ARGV[i + 1], 'b', ARGV[i + 2])
end
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
