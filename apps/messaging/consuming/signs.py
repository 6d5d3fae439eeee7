"""Signs of life of consumers, in the durable Redis, by its clock: who is alive, what it has done,
and when it last had nothing left to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import redis
import structlog

from apps.common.redis import durable

log = structlog.get_logger(__name__)
KEY = "holdfast:consumers"
EVERY_SECONDS = 2.0
EXPIRY_SECONDS = 45.0  # longer than a handler may take


@dataclass(frozen=True, slots=True)
class Sign:
    """``age``: seconds since it was given; ``idle``: whether there was nothing left to do then;
    ``counts``: messages by verdict since the consumer began."""

    group: str
    consumer: str
    age: float
    idle: bool
    away: bool
    counts: Mapping[str, int]


def give(group: str, consumer: str, *, idle: bool, away: bool, counts: Mapping[str, int]) -> None:
    """Says that the consumer lives; a Redis that is down silences it, nothing more."""
    sign = {"idle": idle, "away": away, "counts": counts}
    try:
        at = _now(durable())
        durable().hset(KEY, f"{group}/{consumer}", orjson.dumps(sign | {"at": at}))
    except redis.RedisError as error:
        log.debug("consume.no_sign", group=group, error=str(error))


def end(group: str, consumer: str) -> None:
    """Says that the consumer has left in good order."""
    try:
        durable().hdel(KEY, f"{group}/{consumer}")
    except redis.RedisError as error:
        log.debug("consume.no_farewell", group=group, error=str(error))


def alive() -> list[Sign]:
    """The consumers that gave a sign lately, by group. Raises ``redis.RedisError``."""
    client = durable()
    now, found = _now(client), client.hgetall(KEY)
    signs, gone = [], []
    for field, text in found.items():
        sign = _read(field.decode(), orjson.loads(text), now)
        if sign.age <= EXPIRY_SECONDS:
            signs.append(sign)
        else:
            gone.append(field)
    if gone:
        client.hdel(KEY, *gone)
    return sorted(signs, key=lambda sign: (sign.group, sign.consumer))


def _read(field: str, text: dict[str, Any], now: float) -> Sign:
    group, _, consumer = field.partition("/")
    return Sign(group, consumer, now - text["at"], text["idle"], text["away"], text["counts"])


def _now(client: redis.Redis) -> float:
    seconds, microseconds = client.time()
    return seconds + microseconds / 1e6
