"""How a resource is cached: values to be declared, and overridden by ``CACHE_POLICIES``."""

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

import msgspec


class Strategy(StrEnum):
    """Who loads on a miss, and what a write does.

    Cache-aside: the caller loads, a write invalidates. Read-through: the cache loads, a write
    invalidates. Write-through: the cache loads, a write goes to the database and then anew into the
    cache. Write-behind: the cache loads, a write goes to Redis and in sets to the database later.
    """

    CACHE_ASIDE = "cache-aside"
    READ_THROUGH = "read-through"
    WRITE_THROUGH = "write-through"
    WRITE_BEHIND = "write-behind"


class Eviction(StrEnum):
    """Which entry of a full in-process cache goes first."""

    LRU = "lru"
    LFU = "lfu"
    FIFO = "fifo"


class Serializer(StrEnum):
    JSON = "json"
    MSGPACK = "msgpack"


@dataclass(frozen=True, slots=True)
class Local:
    """The in-process cache (L1) in front: bounded by entries and by bytes, whichever comes first.

    ``seconds`` is the backstop: an entry that was not confirmed by Redis for so long is not served.
    """

    eviction: Eviction = Eviction.LRU
    entries: int = 10_000
    megabytes: float = 64.0
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Policy:
    """``ttl`` and ``negative_ttl`` (of "there is none") in seconds, ±``jitter`` of them.

    ``early`` is β of the early expiry (0: none; Vattani et al., "Optimal Probabilistic Cache
    Stampede Prevention", VLDB 2015). A ``strict`` resource refuses writes while Redis is away;
    others commit and are invalidated behind. A reader waits ``wait`` seconds at most for another
    that loads the same. A value of more than ``max_bytes`` is not kept.
    """

    strategy: Strategy
    ttl: float = 300.0
    negative_ttl: float = 30.0
    jitter: float = 0.1
    early: float = 1.0
    serializer: Serializer = Serializer.JSON
    local: Local | None = None
    strict: bool = False
    wait: float = 0.5
    max_bytes: int = 256 * 1024

    def overridden(self, values: dict[str, Any]) -> "Policy":
        """With ``values`` (as JSON has them) in place; raises ``ValueError`` for an unknown one."""
        known = {one.name for one in fields(self)}
        if unknown := values.keys() - known:
            raise ValueError(f"no such policy: {', '.join(sorted(unknown))}")
        given = asdict(self) | values
        if values.get("local") is not None:
            given["local"] = asdict(self.local or Local()) | values["local"]
        policy = msgspec.convert(given, Policy)
        if min(policy.ttl, policy.negative_ttl, policy.max_bytes) <= 0:
            raise ValueError("what is cached lives for some time and takes some room")
        return policy
