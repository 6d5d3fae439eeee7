"""What all strategies share: reading under leases, writing between two invalidations."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog
from django.db import transaction

from apps.caching import connections, scripts
from apps.caching.fence import Fence, Look, new_token
from apps.caching.keys import Key
from apps.caching.resources import Fields, Resource

log = structlog.get_logger(__name__)
NOTHING = "_none"  # the field of a negative entry


class CacheStrategy:
    """Reads and writes one resource. Redis away: slower, never wrong, never an error."""

    def __init__(self, resource: Resource):
        self.resource = resource
        self.policy = resource.policy
        self._fence = Fence(connections.client())

    def get(self, key: str) -> Any | None:
        """The value, from the cache or loaded; None where there is none."""
        return self.get_many([key])[key]

    def get_many(self, ids: Sequence[str]) -> Mapping[str, Any | None]:
        """The values of all ``ids``: one look at Redis, one load of all that it does not have."""
        keys = [self._key(one) for one in dict.fromkeys(ids)]
        token = new_token()
        try:
            looks = self._fence.look(keys, token)
        except connections.AWAY as error:
            log.warning("cache.away", error=str(error))
            looks = [Look(scripts.WRITERS)] * len(keys)
        found: dict[str, Any | None] = {}
        missing: list[Key] = []
        leased: set[str] = set()
        for key, look in zip(keys, looks, strict=True):
            if look.state == scripts.HIT:
                found[key.id] = self._decoded(look.fields)
            else:
                missing.append(key)
                if look.state == scripts.LEASED:
                    leased.add(key.id)
        if missing:
            loaded = self.resource.load([key.id for key in missing])
            for key in missing:
                found[key.id] = loaded.get(key.id)
                if key.id in leased:
                    self._fill(key, token, found[key.id])
        return found

    @contextmanager
    def writing(self, alias: str, ids: Sequence[str]) -> Iterator[None]:
        """Brackets a write to the rows behind ``ids`` in a transaction on ``alias``: before it
        readers stop filling, after its commit the values are gone everywhere."""
        keys = [self._key(one) for one in ids]
        token = new_token()
        self._fence.begin(keys, token)
        try:
            yield
        except BaseException:
            self._fence.end(keys, token)
            raise
        transaction.on_commit(lambda: self._fence.end(keys, token), using=alias, robust=True)

    def drop(self, ids: Sequence[str]) -> None:
        """Invalidates by hand, or on an event: of values whose writes are committed already."""
        self._fence.end([self._key(one) for one in ids], "")

    def _key(self, one: str) -> Key:
        return Key(self.resource.name, one)

    def _fill(self, key: Key, token: str, value: Any | None) -> None:
        seconds = self.policy.negative_ttl if value is None else self.policy.ttl
        seconds *= 1 + random.uniform(-self.policy.jitter, self.policy.jitter)  # noqa: S311
        fields = {NOTHING: b"1"} if value is None else self._encoded(value)
        try:
            self._fence.fill(key, token, fields, int(seconds * 1000))
        except connections.AWAY as error:
            log.warning("cache.away", error=str(error))

    def _encoded(self, value: Any) -> Fields:
        if self.resource.encode is not None:
            return self.resource.encode(value)
        return {"v": msgspec.json.encode(value)}

    def _decoded(self, fields: Fields) -> Any | None:
        if NOTHING in fields:
            return None
        if self.resource.decode is not None:
            return self.resource.decode(fields)
        return msgspec.json.decode(fields["v"])
