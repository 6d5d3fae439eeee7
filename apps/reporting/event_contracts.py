"""The event that reporting sends to itself: it tells how long the way from an outbox to the read
model is while nothing else is on it."""

from dataclasses import dataclass
from datetime import datetime

from apps.messaging.contracts import EventContract


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sign of life on the way that all events take.

    Attributes:
        sent_at: When it was appended to its outbox.
    """

    sent_at: datetime


HEARTBEAT = EventContract(
    "reporting.heartbeat", 1, Heartbeat, "Sent regularly, to see how long events are on their way."
)
CONTRACTS = (HEARTBEAT,)
