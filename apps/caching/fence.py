"""The protocol of ``scripts`` on one Redis, without any opinion on what to do when it is away."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import redis
from django.conf import settings

from apps.caching import scripts
from apps.caching.keys import Key
from apps.caching.resources import Fields

LEASE_MS = 3_000  # above the longest load; one that takes longer does not fill
# Above the longest transaction: a writer that died keeps readers from filling for so long.
WRITER_MS = 120_000
# The field of a kept value that is random with each fill: whoever holds a copy of the value
# compares it to learn whether the copy is still the one that Redis has.
STAMP = "_s"


@dataclass(frozen=True, slots=True)
class Look:
    """What a key looks like: a value (with milliseconds it has left), or why there is none."""

    state: int  # scripts.HIT | WRITERS | LEASED | TAKEN
    pttl: int = 0
    fields: Fields | None = None


def new_token() -> str:
    """Random, since a counter could be handed out twice by a Redis that lost its memory."""
    return secrets.token_hex(8)


def channel() -> str:
    """Where the names of changed keys are published, separated by line feeds."""
    return f"{settings.CACHE_PREFIX}:changed"


class Fence:
    """The four moves. All raise what redis-py raises."""

    def __init__(self, client: redis.Redis):
        self._client = client
        self._look = client.register_script(scripts.LOOK)
        self._fill = client.register_script(scripts.FILL)
        self._begin = client.register_script(scripts.BEGIN)
        self._end = client.register_script(scripts.END)

    def look(self, keys: Sequence[Key], token: str) -> list[Look]:
        """Reads the keys; for those without a value or a writer, takes the lease for ``token``."""
        found = self._look(keys=_flat(keys), args=[token, LEASE_MS])
        return [_look_of(one) for one in found]

    def fill(self, key: Key, token: str, fields: Fields, milliseconds: int) -> bool:
        """Keeps a value that was read from the database after ``token`` took the lease; False
        where the lease is gone: somebody has changed the key since."""
        words = [word for pair in fields.items() for word in pair]
        return bool(self._fill(keys=key.all, args=[token, milliseconds, *words]))

    def begin(self, keys: Sequence[Key], token: str) -> None:
        """Phase one, before the transaction commits."""
        self._begin(keys=_flat(keys), args=[token, WRITER_MS, channel(), _names(keys)])

    def end(self, keys: Sequence[Key], token: str) -> None:
        """Phase two, after it committed, or after it was rolled back."""
        self._end(keys=_flat(keys), args=[token, channel(), _names(keys)])


def _flat(keys: Sequence[Key]) -> list[str]:
    return [name for key in keys for name in key.all]


def _names(keys: Sequence[Key]) -> str:
    return "\n".join([key.name for key in keys])


def _look_of(found: list) -> Look:
    if found[0] != scripts.HIT:
        return Look(found[0])
    names = [name.decode() for name in found[2][::2]]
    return Look(scripts.HIT, found[1], dict(zip(names, found[2][1::2], strict=True)))
