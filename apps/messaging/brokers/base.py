"""What a broker does for us; each adapter passes the same conformance suite.

A broker may deliver a message twice and out of order, but loses none that it confirmed, as long
as it keeps its own data. It gives each group every message of the group's topics, once to one of
the group's consumers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from apps.messaging.groups import matches


class BrokerDown(Exception):
    """The broker cannot be reached or does not answer: nothing is known to have happened."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A consumer group and the topics it wants (see ``ConsumerGroup.topics``)."""

    group: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be published: ``body`` is an ``Envelope`` as JSON."""

    topic: str
    aggregate: str
    event_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message received; ``tag`` acknowledges it; ``redelivered`` as far as the broker knows."""

    tag: Any
    body: bytes
    redelivered: bool


@dataclass(frozen=True, slots=True)
class GroupState:
    """``waiting``: messages not yet delivered to the group; ``pending``: delivered, not yet
    acknowledged (0 where the broker does not tell); ``consumers``: how many are connected, as far
    as the broker knows."""

    waiting: int
    pending: int
    consumers: int


def wants(binding: Binding, topic: str) -> bool:
    return any(matches(pattern, topic) for pattern in binding.topics)


def refusal(message: Outgoing, max_bytes: int) -> str | None:
    """Why ``message`` is not published at all; None if it is."""
    size = len(message.body)
    return f"{size} bytes are more than {max_bytes}" if size > max_bytes else None


class Subscription(Protocol):
    """One consumer of a group, used by one thread."""

    def receive(self, count: int, seconds: float) -> list[Delivery]:
        """Up to ``count`` messages; waits up to ``seconds`` for the first. What another consumer
        of the group received and never acknowledged comes here after a while. Raises
        ``BrokerDown``."""

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """These are done with: never again to this group. Where the connection is lost before the
        broker hears of it they do come again, whether or not this raises ``BrokerDown``."""

    def put_back(self, deliveries: Sequence[Delivery]) -> None:
        """These are to come again, to any consumer of the group, in a while. Raises
        ``BrokerDown``."""

    def close(self) -> None:
        """Leaves the group; what was received and not acknowledged goes to others. Raises nothing:
        where the broker is down, that happens later by itself."""


class Broker(Protocol):
    """Connects when it is used, and anew after an error. Any thread may use it, one at a time."""

    def declare(self, bindings: Sequence[Binding]) -> None:
        """Makes what is needed for ``bindings``; a group gets what is published from now on.
        Idempotent. Raises ``BrokerDown``."""

    def publish(self, messages: Sequence[Outgoing]) -> list[str | None]:
        """Publishes in order, pipelined; for each message None once the broker has it for good,
        else what is wrong with it. Raises ``BrokerDown``: then any of them may have gone out."""

    def subscribe(self, group: str, consumer: str) -> Subscription:
        """``consumer`` names it among the group's. Raises ``BrokerDown``, and ``LookupError``
        where ``group`` is not known here."""

    def state(self, group: str) -> GroupState:
        """Raises ``BrokerDown``."""

    def unroutable(self) -> int:
        """How many messages that no group wanted were kept aside, where the broker keeps them.
        Raises ``BrokerDown``."""

    def trim(self) -> int:
        """Throws away what every group has acknowledged, where the broker does not do so by
        itself; returns how many messages. Raises ``BrokerDown``."""

    def close(self) -> None:
        """Closes its connections."""
