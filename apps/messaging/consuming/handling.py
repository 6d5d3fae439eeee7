"""What surrounds every call of a group's handler."""

from collections.abc import Callable, Sequence

import structlog

from apps.common.correlation import request_id_bound
from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup

log = structlog.get_logger(__name__)
Handle = Callable[[Sequence[Received]], None]


def handle(group: ConsumerGroup, events: Sequence[Received]) -> None:
    """Calls the group's handler; in its logs, and for what it calls, the request that caused the
    events is the current one, where it is one and the same."""
    causes = {event.headers.get("correlation_id", "") for event in events}
    with request_id_bound(causes.pop() if len(causes) == 1 else ""):
        group.handle(events)


def hint(group: ConsumerGroup, events: Sequence[Received]) -> None:
    """Calls what is to hear of committed events; if that fails, somebody else finds them."""
    if group.after_commit is None or not events:
        return
    try:
        group.after_commit(events)
    except Exception:
        log.exception("consume.after_commit_failed", group=group.name, events=len(events))
