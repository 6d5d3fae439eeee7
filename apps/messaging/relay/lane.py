"""One database's way to the broker: claim, publish, mark, again and again."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections

from apps.common.failpoints import failpoint
from apps.messaging.brokers.base import Broker, BrokerDown, Outgoing
from apps.messaging.brokers.choose import bindings
from apps.messaging.relay import lease, queue
from apps.messaging.relay.queue import Due, Refusal

log = structlog.get_logger(__name__)
SOONEST, LATEST = 0.01, 0.25  # seconds between two looks at the outbox
IDLE_PART = 0.1  # of the time since there was something to do
REST = 3.0  # times as long as a batch that was not full took: others want the processor too
OTHERS_SECONDS = 1.0  # between two looks at a lease that another relay has
TROUBLE_BASE, TROUBLE_CAP = 0.1, 5.0  # seconds, full jitter: broker or database away
TEND_SECONDS = 30.0


class Lane:
    """Publishes the outbox of ``alias`` through a broker of its own, until ``stop`` is set.

    Whatever is away is waited for; meanwhile no attempt is counted, for no event is at fault.
    ``tends``: this lane also looks after the broker, which all lanes share.
    """

    def __init__(
        self,
        alias: str,
        broker: Callable[[], Broker],
        stop: threading.Event,
        *,
        tends: bool = False,
    ):
        self.alias = alias
        self._connect, self._stop, self._tends = broker, stop, tends
        self._broker: Broker | None = None
        self._token = uuid4()
        self._held_until = self._renew_at = self._tend_at = float("-inf")
        self._worked_at = time.monotonic()
        self._troubles = 0

    def run(self) -> None:
        """Until ``stop``; ends with the batch in hand."""
        while not self._stop.is_set():
            self._stop.wait(self._look())
        self.close()

    def _look(self) -> float:
        """One round, whatever happens in it; how many seconds to wait for the next."""
        began = time.monotonic()
        try:
            count = self.step()
        except (BrokerDown, DatabaseError, InterfaceError) as error:
            return self._troubled(error)
        except Exception as error:  # nobody would begin this thread again
            log.exception("relay.failed", database=self.alias)
            return self._troubled(error)
        if self._troubles:
            log.info("relay.goes_on", database=self.alias, after=self._troubles)
            self._troubles = 0
        return self._pause(began, count)

    def step(self) -> int | None:
        """Publishes one batch; how many events it had, or None while another relay is at it.
        Raises ``BrokerDown``, ``DatabaseError`` or ``InterfaceError``."""
        if not self._hold():
            return None
        broker = self._tended()
        batch = queue.claim(
            self.alias, self._token, settings.EVENT_RELAY_BATCH, settings.EVENT_MAX_BYTES
        )
        # Whoever stood still for so long may be another's shadow.
        if batch and time.monotonic() < self._held_until:
            self._relay(broker, batch)
        return len(batch)

    def _hold(self) -> bool:
        now, seconds = time.monotonic(), settings.EVENT_RELAY_LEASE_SECONDS
        if now >= self._renew_at:
            if not lease.take(self.alias, self._token, seconds):
                return False
            self._held_until, self._renew_at = now + seconds, now + seconds / 3
        return True

    def _tended(self) -> Broker:
        if self._broker is None:
            self._broker = self._connect()
            # No group misses what is published before its first consumer comes.
            self._broker.declare(bindings())
            self._tend_at = time.monotonic() + TEND_SECONDS
        elif self._tends and time.monotonic() >= self._tend_at:
            self._tend_at = time.monotonic() + TEND_SECONDS
            self._broker.declare(bindings())
            trimmed = self._broker.trim()
            log.debug("relay.trimmed", messages=trimmed)
        return self._broker

    def _relay(self, broker: Broker, batch: Sequence[Due]) -> None:
        began = time.monotonic()
        ready, refused = _sorted_out(batch)
        answers = broker.publish(
            [Outgoing(one.topic, one.aggregate, one.event_id, one.body.encode()) for one in ready]
        )
        failpoint("relay.after_publish")
        published = []
        for one, error in zip(ready, answers, strict=True):
            if error is None:
                published.append(one)
            else:
                dead = one.attempts + 1 >= settings.EVENT_PUBLISH_ATTEMPTS
                refused.append(Refusal(one, "refused_by_broker", error, dead))
        queue.mark(self.alias, published, refused)
        self._tell(published, refused, time.monotonic() - began)

    def _tell(self, published: Sequence[Due], refused: Sequence[Refusal], took: float) -> None:
        if published:
            log.debug("relay.published", database=self.alias, events=len(published), seconds=took)
        for one in refused:
            log.log(
                40 if one.dead else 30,
                "relay.dead_letter" if one.dead else "relay.refused",
                database=self.alias,
                event_id=one.due.event_id,
                topic=one.due.topic,
                attempt=one.due.attempts + 1,
                error=one.error[:200],
            )

    def _pause(self, began: float, count: int | None) -> float:
        now = time.monotonic()
        if count is None:
            return OTHERS_SECONDS
        if count:
            self._worked_at = now
            if count >= settings.EVENT_RELAY_BATCH:
                return 0.0
            return min(max(REST * (now - began), SOONEST), LATEST)
        return min(max(IDLE_PART * (now - self._worked_at), SOONEST), LATEST)

    def _troubled(self, error: Exception) -> float:
        self._troubles += 1
        if self._troubles == 1:
            log.warning("relay.waits", database=self.alias, error=repr(error))
        self._drop_broker()
        if not isinstance(error, BrokerDown):
            connections[self.alias].discard()
        longest = min(TROUBLE_CAP, TROUBLE_BASE * 2 ** min(self._troubles, 10))
        return random.uniform(0, longest)  # noqa: S311 - jitter

    def _drop_broker(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            try:
                broker.close()
            except BrokerDown:
                pass

    def close(self) -> None:
        """Leaves broker and database; another relay takes over at once."""
        self._drop_broker()
        try:
            lease.leave(self.alias, self._token)
        except (DatabaseError, InterfaceError) as error:
            log.warning("relay.lease_stays", database=self.alias, error=repr(error))
        self._renew_at = float("-inf")
        connections[self.alias].close()


def _sorted_out(batch: Sequence[Due]) -> tuple[list[Due], list[Refusal]]:
    """What can be published, and what is too large for any broker to be asked."""
    refused = [
        Refusal(
            one,
            "too_large",
            f"{one.size:,} bytes are more than EVENT_MAX_BYTES ({settings.EVENT_MAX_BYTES:,})",
            dead=True,
        )
        for one in batch
        if one.body is None
    ]
    return [one for one in batch if one.body is not None], refused
