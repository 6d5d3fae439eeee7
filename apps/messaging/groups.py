"""Consumer groups: who wants which events, and what is done with them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps.messaging.contracts import Received


@dataclass(frozen=True, slots=True)
class ConsumerGroup:
    """``handle`` gets events that are new to the group, up to ``batch`` at once, inside a
    transaction on ``alias`` in which their inbox rows were just written: it must only write there.

    ``topics`` are exact (``order.placed``) or a kind (``order.*``); ``*`` alone is everything. An
    event that ``handle`` raises for is tried again ``max_attempts`` times in all, alone, and is
    then a dead letter; ``seconds`` bound one call. ``after_commit`` is called with the same events
    once they are committed: a hint, which may be lost.

    Events of one aggregate usually come in order, but a repeat may come late and two consumers of
    the group may overtake each other: handlers compare ``aggregate_version``.

    A ``raw`` group gets events of every schema, also of one unknown here: ``payload`` is JSON as
    it came (bytes).

    With ``headers`` the group wants only events that carry these: others are none of its own, are
    acknowledged and leave no trace in its inbox.
    """

    name: str
    alias: str
    topics: tuple[str, ...]
    handle: Callable[[Sequence[Received]], None]
    after_commit: Callable[[Sequence[Received]], None] | None = None
    batch: int = 500
    max_attempts: int = 5
    seconds: float = 20.0
    raw: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    def wants(self, topic: str) -> bool:
        return any(matches(pattern, topic) for pattern in self.topics)

    def is_meant(self, headers: Mapping[str, str]) -> bool:
        """Whether an event with ``headers`` carries those that the group looks for."""
        return all(headers.get(name) == value for name, value in self.headers)


def matches(pattern: str, topic: str) -> bool:
    """Whether ``topic`` is what ``pattern`` says: itself, its kind (``order.*``) or all (``*``)."""
    if pattern.endswith(".*"):
        return topic.startswith(pattern[:-1])
    return pattern in ("*", topic)


_groups: dict[str, ConsumerGroup] = {}


def register_groups(groups: Iterable[ConsumerGroup]) -> None:
    """Makes ``groups`` known; raises ``ValueError`` where a name is taken."""
    for group in groups:
        if _groups.setdefault(group.name, group) != group:
            raise ValueError(f"consumer group {group.name} is declared twice")


def find_group(name: str) -> ConsumerGroup | None:
    return _groups.get(name)


def all_groups() -> list[ConsumerGroup]:
    """All that are registered, by name."""
    return [_groups[name] for name in sorted(_groups)]
