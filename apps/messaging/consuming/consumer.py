"""One consumer of a group: takes messages from the broker, delivers and acknowledges them."""

import os
import random
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from apps.common.failpoints import failpoint
from apps.messaging.brokers.base import Broker, BrokerDown, Subscription
from apps.messaging.brokers.base import Delivery as Message
from apps.messaging.brokers.choose import bindings
from apps.messaging.consuming import signs
from apps.messaging.consuming.delivering import Delivery, Verdict
from apps.messaging.groups import ConsumerGroup

log = structlog.get_logger(__name__)
RECEIVE_SECONDS = 1.0  # of one wait for messages; SIGTERM is heeded as often
TROUBLE_BASE, TROUBLE_CAP = 0.1, 5.0  # seconds, full jitter: broker or database away
NAP = 0.1


def new_name() -> str:
    """One that no other consumer has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


class Consumer:
    """Runs in the main thread, where the group's time limit is kept; whatever is away is waited
    for, and meanwhile no attempt is counted, for no event is at fault."""

    def __init__(
        self,
        group: ConsumerGroup,
        connect: Callable[[], Broker],
        *,
        stopping: Callable[[], bool],
        name: str = "",
    ):
        self.group, self.name = group, name or new_name()
        self.counts: Counter[str] = Counter()
        self._connect, self._stopping = connect, stopping
        self._troubles = 0
        self._sign_at = 0.0

    def run(self) -> None:
        """Until ``stopping``; then the messages in hand are finished."""
        log.info("consume.started", group=self.group.name, consumer=self.name)
        while not self._stopping():
            try:
                self._consume()
            except BrokerDown as error:
                if not self._troubles:
                    log.warning("consume.waits", group=self.group.name, error=str(error))
                self._wait()
            except Exception:  # nobody would begin this loop again
                log.exception("consume.loop_failed", group=self.group.name)
                self._wait()
        signs.end(self.group.name, self.name)
        log.info("consume.stopped", group=self.group.name, consumer=self.name)

    def _consume(self) -> None:
        broker = self._connect()
        try:
            broker.declare(bindings())
            subscription = broker.subscribe(self.group.name, self.name)
            try:
                while not self._stopping():
                    self.step(subscription)
            finally:
                _quietly(subscription.close)
        finally:
            _quietly(broker.close)

    def step(self, subscription: Subscription) -> int:
        """Delivers what comes within a moment; how many messages. Raises ``BrokerDown``."""
        messages = subscription.receive(self.group.batch, RECEIVE_SECONDS)
        away = False
        if messages:
            away = self._deliver(subscription, messages)
        self._sign(idle=not messages, away=away)
        if away:
            self._wait()
        elif self._troubles:
            log.info("consume.goes_on", group=self.group.name, after=self._troubles)
            self._troubles = 0
        return len(messages)

    def _deliver(self, subscription: Subscription, messages: Sequence[Message]) -> bool:
        """Whether the group's database is away."""
        began = time.monotonic()
        delivery = Delivery(self.group)
        repeated = {at for at, message in enumerate(messages) if message.redelivered}
        verdicts = delivery.run([message.body for message in messages], repeated)
        failpoint("consume.before_ack")
        done, again = [], []
        for message, verdict in zip(messages, verdicts, strict=True):
            (again if verdict is Verdict.AGAIN else done).append(message)
        if done:
            subscription.ack(done)
        if again:
            subscription.put_back(again)
        self.counts.update(verdict.value for verdict in verdicts)
        seconds = time.monotonic() - began
        log.debug("consume.batch", group=self.group.name, messages=len(messages), seconds=seconds)
        return delivery.away

    def _sign(self, *, idle: bool, away: bool) -> None:
        now = time.monotonic()
        if now >= self._sign_at:
            self._sign_at = now + signs.EVERY_SECONDS
            signs.give(self.group.name, self.name, idle=idle, away=away, counts=self.counts)

    def _wait(self) -> None:
        self._troubles += 1
        limit = min(TROUBLE_CAP, TROUBLE_BASE * 2 ** min(self._troubles, 10))
        until = time.monotonic() + random.uniform(limit / 4, limit)  # noqa: S311 - no secret
        self._sign(idle=False, away=True)
        while time.monotonic() < until and not self._stopping():
            time.sleep(NAP)


def _quietly(close: Callable[[], None]) -> None:
    try:
        close()
    except BrokerDown as error:
        log.debug("consume.left_unheard", error=str(error))
