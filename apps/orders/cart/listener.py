"""Hears from Redis that a cart's hold is over, and has the catalogue end it at once.

Only a hint: Redis tells of an expired key once, to whoever listens just then. A hold ends by the
database's clock, and the job ``expire-holds`` finds each of them, whether anybody listened or not.
"""

import threading
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connections
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.catalog import facade as catalog
from apps.catalog.contracts import ExpiredHolds
from apps.common.redis import SOCKET_TIMEOUT
from apps.orders.cart.store import HOLD_PREFIX

log = structlog.get_logger(__name__)
CATALOG = "catalog"
NEEDED = "Ex"  # key events of expired keys
LISTEN_SECONDS = 1.0  # then it looks whether it is to stop
AGAIN_SECONDS = 2.0  # after Redis went away
MOST = 500  # carts in one transaction


class HoldListener:
    """A thread that ends holds as their keys expire. Any number may run, in any process."""

    def __init__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hold-listener", daemon=True)
        self.listening = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; waits until it has."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except redis.RedisError as error:
                log.warning("cart.listener_away", error=str(error))
            except Exception:  # nobody would begin this thread again
                log.exception("cart.listener_failed")
            self.listening.clear()
            self._stop.wait(AGAIN_SECONDS)
        connections[CATALOG].close()

    def _listen(self) -> None:
        client = redis.Redis.from_url(
            settings.QUEUE_REDIS_URL,
            socket_timeout=LISTEN_SECONDS + SOCKET_TIMEOUT,
            socket_connect_timeout=SOCKET_TIMEOUT,
            health_check_interval=10,
            client_name="hold-listener",
            retry=Retry(NoBackoff(), 0),
        )
        with client, client.pubsub(ignore_subscribe_messages=True) as pubsub:
            ask_for_events(client)
            database = client.connection_pool.connection_kwargs.get("db", 0)
            pubsub.subscribe(f"__keyevent@{database}__:expired")
            pubsub.get_message(timeout=LISTEN_SECONDS)  # the answer to the subscription
            self.listening.set()
            while not self._stop.is_set():
                message = pubsub.get_message(timeout=LISTEN_SECONDS)
                carts: set[UUID] = set()
                while message is not None:
                    carts |= named(message["data"])
                    message = pubsub.get_message(timeout=0.0) if len(carts) < MOST else None
                if carts:
                    self._end(sorted(carts))

    def _end(self, carts: list[UUID]) -> ExpiredHolds | None:
        try:
            close_old_connections()
            ended = catalog.expire_holds(carts)
        except (DatabaseError, InterfaceError) as error:
            log.warning("cart.holds_left_to_the_job", error=str(error), carts=len(carts))
            return None
        log.info("cart.holds_ended", carts=len(carts), holds=ended.holds, pieces=ended.pieces)
        return ended


def ask_for_events(client: redis.Redis) -> None:
    """Has Redis tell of expired keys; where that may not be set, the job does it alone."""
    try:
        known = client.config_get("notify-keyspace-events")["notify-keyspace-events"]
        if not set(NEEDED) <= set(known.replace("A", "x")):  # A is all
            client.config_set("notify-keyspace-events", "".join(sorted({*known, *NEEDED})))
    except (redis.ResponseError, KeyError) as error:
        log.warning("cart.no_key_events", error=str(error))


def named(key: bytes) -> set[UUID]:
    """The cart whose hold the key stood for, if it is such a key."""
    prefix, _, cart_id = key.decode(errors="replace").rpartition(":")
    if f"{prefix}:" != HOLD_PREFIX:
        return set()
    try:
        return {UUID(cart_id)}
    except ValueError:
        return set()
