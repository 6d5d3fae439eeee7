"""The protocol of ``scripts`` on one Redis, without any opinion on what to do when it is away."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import redis
from django.conf import settings

from apps.caching import scripts
from apps.caching.keys import Key
from apps.caching.resources import Fields

# The field of a kept value that is random with each fill: whoever holds a copy of the value
# compares it to learn whether the copy is still the one that Redis has.
STAMP = "_s"
GENERATION_MS = 24 * 3600 * 1000  # a tag that is not changed for so long gets a new generation


class Look(NamedTuple):
    """What a key looks like: a value (with milliseconds it has left), or why there is none."""

    state: int  # scripts.AWAY | HIT | WRITERS | LEASED | TAKEN
    pttl: int = 0
    fields: Mapping[bytes, bytes] | None = None
    holder: str = ""  # the token of the lease that is taken
    generation: bytes = b""  # of a tag


GONE = Look(scripts.AWAY)


def new_token() -> str:
    """Random, since a counter could be handed out twice by a Redis that lost its memory."""
    return secrets.token_hex(8)


def channel() -> str:
    """Where the names of changed keys are published, separated by line feeds."""
    return f"{settings.CACHE_PREFIX}:changed"


class Fence:
    """The moves. All raise what redis-py raises."""

    def __init__(self, client: redis.Redis):
        self.client = client
        self._look = client.register_script(scripts.LOOK)
        self._lease = client.register_script(scripts.LEASE)
        self._fill = client.register_script(scripts.FILL)
        self._release = client.register_script(scripts.RELEASE)
        self._begin = client.register_script(scripts.BEGIN)
        self._end = client.register_script(scripts.END)

    def look(self, keys: Sequence[Key], token: str, tags: Sequence[Key] = ()) -> list[Look]:
        """Reads the keys, then the tags. For keys without a value or a writer it takes the lease
        for ``token``; tags without a generation or a writer get one."""
        args = [token, settings.CACHE_LEASE_MS, len(keys), GENERATION_MS]
        found = self._look(keys=_flat([*keys, *tags]), args=args)
        looks = [_look_of(one) for one in found[: len(keys)]]
        return looks + [_tag_of(one) for one in found[len(keys) :]]

    def lease(self, key: Key, token: str) -> Look:
        """Takes the lease whatever the value, to replace it: for a refresh, or bytes of no use."""
        return _look_of(self._lease(keys=key.all, args=[token, settings.CACHE_LEASE_MS]))

    def fill(self, values: Mapping[Key, tuple[int, Fields]], token: str) -> list[bool]:
        """Keeps values (with their milliseconds to live) that were read from the database after
        ``token`` took their leases; False where the lease is gone: somebody has changed the key
        since, or it took too long."""
        args: list = [token]
        for milliseconds, fields in values.values():
            args += (milliseconds, 2 * len(fields))
            for pair in fields.items():
                args += pair
        return [done == 1 for done in self._fill(keys=_flat(values), args=args)]

    def release(self, keys: Sequence[Key], token: str) -> None:
        """Gives up leases under which nothing will be filled."""
        self._release(keys=_flat(keys), args=[token])

    def begin(self, keys: Sequence[Key], token: str) -> None:
        """Phase one, before the transaction commits."""
        args = [token, settings.CACHE_WRITER_MS, channel(), _names(keys)]
        self._begin(keys=_flat(keys), args=args)

    def end(self, keys: Sequence[Key], token: str) -> None:
        """Phase two, after it committed, or after it was rolled back. With ``""`` for a token the
        values go and every writer's entry stays."""
        self._end(keys=_flat(keys), args=[token, channel(), _names(keys)])


def _flat(keys: Iterable[Key]) -> list[str]:
    return [name for key in keys for name in key.all]


def _names(keys: Sequence[Key]) -> str:
    return "\n".join([key.name for key in keys])


def _look_of(found: list) -> Look:
    state = found[0]
    if state == scripts.HIT:
        words = iter(found[2])
        return Look(state, found[1], dict(zip(words, words, strict=True)))
    if state == scripts.TAKEN:
        return Look(state, holder=found[1].decode(errors="replace"))
    return Look(state)


def _tag_of(found: list) -> Look:
    return Look(found[0], generation=found[1] if found[0] == scripts.HIT else b"")
