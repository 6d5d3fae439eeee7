"""Carts in the durable Redis: a hash for each, and a key that leads from its owner to it.

Edits are optimistic: what is read is watched, and a transaction that meets somebody else's edit is
begun anew with what that one left.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from uuid import UUID

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.common.errors import VersionConflict
from apps.common.redis import SOCKET_TIMEOUT
from apps.orders.cart.contracts import Cart, CartAway, Owner

log = structlog.get_logger(__name__)
PREFIX = "holdfast:cart:"
HOLD_PREFIX = f"{PREFIX}hold:"
TRIES = 20
PAUSE = 0.005  # seconds, at most, for each try so far
LATER = 0.05  # seconds that a hold's mark outlives the hold: the databases' clocks differ
VERSION, ORDERING = b"version", b"ordering"
Change = Callable[[Cart | None], Cart | None]


def client() -> redis.Redis:
    """The durable Redis. A command that got no answer is not sent again: an edit that may have been
    made is for its sender to look at."""
    return _client(settings.QUEUE_REDIS_URL)


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=SOCKET_TIMEOUT,
        retry=Retry(NoBackoff(), 0, supported_errors=()),
    )


def load(owner: Owner) -> Cart | None:
    """The owner's cart; raises ``CartAway``."""
    with _answering():
        found = client().get(_owner_key(owner))
        return _read(found, client().hgetall)


def edit(owner: Owner, change: Change) -> Cart | None:
    """Makes the owner's cart what ``change`` makes of it, and None of no cart.

    ``change`` may be called several times. Raises what it raises, ``VersionConflict`` where others
    are always quicker, and ``CartAway``.
    """

    def attempt(pipe: redis.client.Pipeline) -> Cart | None:
        before = _watched(pipe, owner)
        after = change(before)
        if after != before:
            pipe.multi()
            _write(pipe, owner, before, after)
            pipe.execute()
        return after

    return _tried(attempt)


def merge(owner: Owner, other: Owner, join: Callable[[Cart | None, Cart | None], Cart]) -> Cart:
    """The owner's cart becomes what ``join`` makes of it and the other's, which is no more."""

    def attempt(pipe: redis.client.Pipeline) -> Cart:
        mine, theirs = _watched(pipe, owner), _watched(pipe, other)
        joined = join(mine, theirs)
        pipe.multi()
        _write(pipe, other, theirs, None)
        _write(pipe, owner, mine, joined)
        pipe.execute()
        return joined

    return _tried(attempt)


def new_version() -> int:
    """The first version of a cart: later than all of the owner's carts before it."""
    return time.time_ns() // 1_000_000


def mark_hold(cart_id: UUID, seconds: float) -> None:
    """Leaves a key that expires with the holds of the cart, for the listener: only a hint."""
    try:
        client().set(f"{HOLD_PREFIX}{cart_id}", 1, px=round((seconds + LATER) * 1000))
    except redis.RedisError as error:
        log.warning("cart.hold_not_marked", cart=str(cart_id), error=str(error))


def _tried(attempt: Callable[[redis.client.Pipeline], Cart | None]) -> Cart | None:
    with _answering():
        for number in range(TRIES):
            with client().pipeline() as pipe:
                try:
                    return attempt(pipe)
                except redis.WatchError:
                    time.sleep(random.uniform(0, PAUSE * number))  # noqa: S311 (jitter)
    raise VersionConflict("Others change this cart all the time; read it again.")


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        log.warning("cart.away", error=str(error))
        raise CartAway() from error


def _owner_key(owner: Owner) -> str:
    return f"{PREFIX}of:{owner.key}"


def _cart_key(cart_id: UUID) -> str:
    return f"{PREFIX}{cart_id}"


def _watched(pipe: redis.client.Pipeline, owner: Owner) -> Cart | None:
    pipe.watch(_owner_key(owner))
    found = pipe.get(_owner_key(owner))

    def fields(key: str) -> Mapping[bytes, bytes]:
        pipe.watch(key)
        return pipe.hgetall(key)

    return _read(found, fields)


def _read(found: bytes | None, fields: Callable[[str], Mapping[bytes, bytes]]) -> Cart | None:
    """What cannot be read is no cart: it is data that somebody else may have written."""
    if found is None:
        return None
    try:
        cart_id = UUID(found.decode())
        known = dict(fields(_cart_key(cart_id)))
        version, ordering = int(known.pop(VERSION)), known.pop(ORDERING, None) is not None
        rows = sorted(
            (*map(int, value.split(b" ", 1)), UUID(name.decode())) for name, value in known.items()
        )
    except (ValueError, KeyError) as error:
        log.warning("cart.unreadable", error=repr(error))
        return None
    lines = {product_id: quantity for _, quantity, product_id in rows if quantity > 0}
    return Cart(cart_id, version, lines, ordering)


def _write(
    pipe: redis.client.Pipeline, owner: Owner, before: Cart | None, after: Cart | None
) -> None:
    if before is not None:
        pipe.delete(_cart_key(before.id))
    if after is None:
        pipe.delete(_owner_key(owner))
        return
    seconds = settings.CART_SECONDS if owner.is_customer else settings.CART_VISITOR_SECONDS
    key = _cart_key(after.id)
    known: dict[bytes | str, int | str] = {VERSION: after.version}
    if after.ordering:
        known[ORDERING] = 1
    for position, (product_id, quantity) in enumerate(after.lines.items()):
        known[str(product_id)] = f"{position} {quantity}"
    pipe.hset(key, mapping=known)
    pipe.expire(key, seconds)
    pipe.set(_owner_key(owner), str(after.id), ex=seconds)
