"""The answers: a product's JSON as the cache has it, from this process or from Redis."""

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import redis

from apps.caching import scripts
from apps.caching.connections import AWAY
from apps.caching.fence import Look
from apps.caching.keys import Key
from apps.caching.local import process
from apps.caching.local.store import LocalCache
from apps.caching.resources import find_resource
from apps.caching.values import Form
from apps.catalog.caching.names import PRODUCT

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
PAUSES = (0.002, 0.004, 0.008)  # seconds
# So many threads of a process may wait for a fill at once: the entry of a writer that died stands
# for two minutes, and the others must go on meanwhile.
_waiting = threading.BoundedSemaphore(2)
ENTRY_BYTES = 700  # what an entry takes besides its answer: objects, names, headers


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    etag: str
    length: str


def _read(client: redis.Redis, key: Key) -> Mapping[bytes, bytes]:
    """The value's fields. Where somebody is about to fill it – whoever changed it does, for the
    answer to the change – that is awaited for a moment: it takes less than going to Django."""
    fields = client.hgetall(key.value)
    if fields or not _waiting.acquire(blocking=False):
        return fields
    try:
        for seconds in PAUSES:
            if fields or not client.exists(key.lease, key.writers):
                break
            time.sleep(seconds)
            fields = client.hgetall(key.value)
    finally:
        _waiting.release()
    return fields


class Products:
    """Finds answers; ``None`` always means: ask Django."""

    def __init__(self):
        resource = find_resource(PRODUCT)
        self._form = Form(resource)
        local = resource.policy.local
        self.local: LocalCache | None = process.local_cache(PRODUCT, local) if local else None

    def find(self, product_id: str) -> Answer | None:
        """From this process's memory, else from Redis (which fills the memory)."""
        local = self.local
        if local is not None and (found := local.get(f"{PRODUCT}:{product_id}")) is not None:
            return found
        if not ID.fullmatch(product_id):
            return None
        key = Key(PRODUCT, product_id)
        listener = process.listener_of(key)
        # A Redis that is not heard of is not asked either: Django knows how to do without.
        if not listener.hears:
            return None
        place = local.begin(key.name) if local is not None else None
        try:
            fields = _read(listener.client, key)
            found, stamp = self._answer(product_id, fields)
            if found is not None and local is not None and stamp:
                size = len(found.body) + ENTRY_BYTES
                local.complete(key, place, found, stamp=stamp, size=size, proof=listener.proof)
            return found
        except AWAY:
            return None
        finally:
            if local is not None:
                local.abandon(key, place)

    def _answer(
        self, product_id: str, fields: Mapping[bytes, bytes]
    ) -> tuple[Answer | None, bytes]:
        """What Redis holds, with its stamp; None for what the catalogue has not written so."""
        if not fields:
            return None, b""
        try:
            entry = self._form.entry(Look(scripts.HIT, fields=fields))
        except ValueError:
            return None, b""
        product = entry.value
        if product is None or not product.json.startswith(b'{"id":"%s"' % product_id.encode()):
            return None, b""
        return Answer(product.json, product.etag, str(len(product.json))), entry.stamp
