"""What others may know of the read model."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the read model is behind the shop.

    Attributes:
        behind: Events that were told and are not applied; None where the broker does not say.
        oldest_seconds: The age of the oldest of them, at most; 0 without any, None where unknown.
        heartbeat_seconds: How long ago the last heartbeat that arrived was sent; None before the
            first.
        applied: Events applied since the beginning.
        applied_at: When the last of them was.
    """

    behind: int | None
    oldest_seconds: float | None
    heartbeat_seconds: float | None
    applied: int
    applied_at: datetime | None
