"""The thread that keeps this process's caches true to one Redis.

It subscribes to the channel of changes, drops what is named there, and sends a ``PING`` along the
same connection: since Redis answers in order, a ``PONG`` proves that every change published before
its ``PING`` was sent has been heard. Without a fresh proof nothing is served. What was served is
also compared with Redis by its stamp, in sets, in case that a change was never told at all.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

import redis

from apps.caching.connections import AWAY
from apps.caching.fence import STAMP, channel
from apps.caching.local.store import NEVER, Entry, LocalCache, Proof

logger = logging.getLogger(__name__)
PING_SECONDS = 0.2
CONFIRM_SECONDS = 0.4
# What nobody wanted for so long is not confirmed any more: it lapses, and its next reader asks.
WANTED_SECONDS = 10.0
CONFIRMED_AT_MOST = 10_000  # entries in one go (some 5 ms); the others lapse
PROOF_SECONDS = 1.0  # how long a proof holds; entries of a shorter policy end sooner
CONFIRMED_AT_ONCE = 500  # keys; Redis serves nobody else meanwhile (some 0.3 ms)
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5  # between attempts to reach Redis, seconds

# KEYS: values; ARGV: the stamp's field. Each one's stamp, or false.
STAMPS = """
local out = {}
for i, key in ipairs(KEYS) do
    local found = redis.pcall('HGET', key, ARGV[1])
    out[i] = type(found) == 'string' and found
end
return out
"""


class Listener:
    """``caches`` of one Redis; ``chores`` are called several times a second in any case."""

    def __init__(
        self,
        client: redis.Redis,
        caches: Sequence[LocalCache],
        chores: Sequence[Callable[[], None]] = (),
    ):
        self.proof = Proof()
        self.losses = 0  # connections that ended
        self.client = client
        self._caches, self._chores = caches, chores
        self._stamps = client.register_script(STAMPS)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cache-listener", daemon=True)

    @property
    def hears(self) -> bool:
        """Whether its Redis was heard of within the last second."""
        return time.monotonic() < self.proof.until

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; nothing is served from then on."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(2 * PROOF_SECONDS)
        self.proof.until = NEVER

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._listen()
            except AWAY as error:
                self._lost(error, quiet=pause > FIRST_PAUSE)
            except Exception as error:
                # Whatever came along the channel, without this thread nothing is served again.
                logger.exception("the channel of changes was not understood")
                self._lost(error, quiet=True)
            pause = FIRST_PAUSE if time.monotonic() - began > LONGEST_PAUSE else pause * 2
            pause = min(pause, LONGEST_PAUSE)
            self._do_chores()
            self._stop.wait(pause)
        self._do_chores()

    def _lost(self, error: Exception, quiet: bool) -> None:
        self.proof.until = NEVER
        for cache in self._caches:
            cache.clear()
        self.losses += 1
        log = logger.debug if quiet else logger.warning
        log("changes of cached values are not heard: %s", error)

    def _listen(self) -> None:
        """One connection's life; raises what redis-py raises where it ends."""
        connection = self._connect()
        try:
            connection.connect()
            connection.send_command("SUBSCRIBE", channel(), check_health=False)
            ping, confirm, proven = NEVER, time.monotonic() + CONFIRM_SECONDS, time.monotonic()
            while not self._stop.is_set():
                now = time.monotonic()
                if now >= ping:
                    connection.send_command("PING", str(time.monotonic_ns()), check_health=False)
                    self._do_chores()
                    ping = now + PING_SECONDS
                if now >= confirm:
                    self._confirm()
                    confirm = time.monotonic() + CONFIRM_SECONDS
                if connection.can_read(max(min(ping, confirm) - time.monotonic(), 0)):
                    proven = max(proven, self._hear(connection.read_response()))
                elif time.monotonic() - proven > PROOF_SECONDS:
                    raise redis.TimeoutError("no answer in time")
        finally:
            connection.disconnect()

    def _connect(self) -> redis.Connection:
        pool = self.client.connection_pool
        words = dict(pool.connection_kwargs)
        words |= {"protocol": 2, "decode_responses": False, "health_check_interval": 0}
        words["retry"] = None  # one that connects again by itself would hide what it missed
        return pool.connection_class(**words)

    def _hear(self, reply: list) -> float:
        """Does what a message says; the time up to which changes are known to have been heard."""
        if reply[0] == b"message":
            names = reply[2].decode(errors="replace").split("\n")
            for cache in self._caches:
                cache.drop(names)
        elif reply[0] == b"pong":
            sent = int(reply[1]) / 1e9
            self.proof.until = sent + PROOF_SECONDS
            return sent
        return NEVER

    def _confirm(self) -> None:
        for cache in self._caches:
            asked = cache.wanted(self.proof, time.monotonic() - WANTED_SECONDS)[:CONFIRMED_AT_MOST]
            for start in range(0, len(asked), CONFIRMED_AT_ONCE):
                part = asked[start : start + CONFIRMED_AT_ONCE]
                began = time.monotonic()
                try:
                    stamps = self._stamps_of(part)
                except AWAY as error:
                    logger.debug("values are not confirmed: %s", error)
                    return  # they end by themselves
                cache.confirm(part, stamps, began)

    def _stamps_of(self, part: Sequence[tuple[str, Entry]]) -> list[bytes | None]:
        return self._stamps(keys=[entry.redis_key for _, entry in part], args=[STAMP])

    def _do_chores(self) -> None:
        for chore in self._chores:
            try:
                chore()
            except Exception:
                logger.exception("a chore failed")
