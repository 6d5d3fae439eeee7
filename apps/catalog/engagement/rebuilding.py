"""Counts all sales anew from the log of events, beside what is in use, and puts it in its place.

Meanwhile nobody carries notes to Redis: they wait in the database. What is in the log may still be
on its way to the group, or among those notes; its keys are known to the new counts, so that it is
not added again when it comes. The swap is one ``SET``.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from django.conf import settings

from apps.catalog.engagement import counting, sale_scripts
from apps.catalog.engagement.names import DAY, key, script
from apps.catalog.engagement.sales import GROUP, TOPICS, Facts, Note, decide, facts_of
from apps.catalog.enums import DATABASE
from apps.common.databases import fetch_all
from apps.common.errors import Conflict
from apps.common.progress import Progress
from apps.common.redis import durable
from apps.eventlog import comparing, selectors
from apps.eventlog.selectors import Logged
from apps.messaging.consuming.parsing import parse
from apps.messaging.contracts import Received

BATCH = 2_000
PATIENCE_SECONDS, NAP = 60.0, 0.25
POINTER, BUILDING = "sales", "sales-building"


class RebuildStuck(Conflict):
    code, title = "rebuild_stuck", "The rebuild cannot go on"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``sales``: additions and what was taken back."""

    events: int
    sales: int
    seconds: float


@dataclass
class _Heard:
    """All orders, as far as the log was read."""

    orders: dict[str, Facts] = field(default_factory=dict)
    counted: dict[str, str] = field(default_factory=dict)  # a note's key → its order

    def hear(self, event: Received) -> list[Note]:
        order_id = str(event.payload.order_id)
        facts = self.orders.setdefault(order_id, {})
        facts.update(facts_of(event))
        notes, news = decide(order_id, facts)
        for name, value in news.items():
            facts[name] = value
            if value is None:
                del facts[name]
        new = [one for one in notes if one.key not in self.counted]
        self.counted.update((one.key, order_id) for one in new)
        return new


def engagement_rebuild(*, progress: Progress, batch: int = BATCH) -> Outcome:
    """Best-sellers and what is bought together, from all events of orders in the log.

    Raises ``RebuildStuck`` where the log lacks what was counted, or has what cannot be read; then
    all is as it was. Raises what Redis raises where it is away.
    """
    began = time.monotonic()
    with counting.counting(wait=True):
        _wait_for_archive()
        old = durable().get(key(POINTER)) or b"0"
        generation = _begin()
        heard, late, events = _Heard(), set[str](), 0
        end, position = selectors.last_position(), 0
        checked = comparing.last_before((settings.INBOX_KEEP_DAYS - 1) * DAY)
        progress.begin("replay", end)
        while rows := selectors.events_since(position, TOPICS, batch, until=end):
            received = [_received(row) for row in rows]
            late |= _late_orders(rows, received, checked)
            notes = [note for event in received for note in heard.hear(event)]
            for some in counting.batches(notes):
                counting.count(some, read=counting.clock(), generation=generation)
            events, position = events + len(rows), rows[-1].position
            progress.reach(position)
        _know(heard, late, generation)
        durable().set(key(POINTER), generation)
        durable().delete(key(BUILDING))
        _drop(old.decode())
    return Outcome(events, len(heard.counted), time.monotonic() - began)


def _begin() -> str:
    """A new generation; one that was never finished is dropped."""
    if left := durable().get(key(BUILDING)):
        _drop(left.decode())
    generation = secrets.token_hex(4)
    durable().set(key(BUILDING), generation, ex=counting.SECONDS)
    return generation


def _received(row: Logged) -> Received:
    event = parse(counting.ENGAGEMENT, row.body)
    if not isinstance(event, Received):
        raise RebuildStuck(f"{row.topic} at position {row.position} cannot be read")
    return event


def _late_orders(rows: Sequence[Logged], received: Sequence[Received], checked: int) -> set[str]:
    """The orders of which the group has yet to hear something that is in the log."""
    ids = [row.event_id for row in rows if row.position > checked]
    unknown = comparing.unknown_to(counting.ENGAGEMENT, ids)
    return {str(one.payload.order_id) for one in received if one.event_id in unknown}


def _know(heard: _Heard, late: set[str], generation: str) -> None:
    """Tells the new counts which keys they have already that may still come."""
    pending = {one for (one,) in fetch_all(DATABASE, "SELECT key FROM catalog_salenote")}
    known = [one for one, order in heard.counted.items() if order in late or one in pending]
    seconds = int(settings.INBOX_KEEP_DAYS * DAY)
    for start in range(0, len(known), BATCH):
        args = ["", msgspec.msgpack.encode(known[start : start + BATCH]), seconds]
        keys = [key(f"sales:{generation}:applied")]
        script(sale_scripts.KNOWN)(keys, args, client=durable())


def _wait_for_archive() -> None:
    """Until all that the group has applied is in the log."""
    end, last = time.monotonic() + PATIENCE_SECONDS, 0
    while rows := fetch_all(
        DATABASE,
        "SELECT id, message_id::uuid FROM messaging_inbox WHERE consumer = %s AND id > %s"
        " ORDER BY id LIMIT %s",
        [GROUP, last, BATCH],
    ):
        ids = {event_id for _, event_id in rows}
        if missing := len(ids - selectors.archived(ids)):
            if time.monotonic() > end:
                text = f"{missing:,} events that were applied are not in the log"
                raise RebuildStuck(f"{text}: is `archive` consumed?")
            time.sleep(NAP)
        else:
            last = rows[-1][0]


def _drop(generation: str) -> None:
    """All keys of a generation; what is bought together is named by its index."""
    redis, root = durable(), f"{key('sales:')}{generation}"
    products = redis.zrange(f"{root}:products", 0, -1)
    for start in range(0, len(products), BATCH):
        redis.unlink(*[f"{root}:with:".encode() + one for one in products[start : start + BATCH]])
    today = int(counting.clock() // DAY)
    days = [f"{root}:day:{today + n}" for n in range(-counting.DAYS, 2)]
    redis.unlink(f"{root}:products", f"{root}:all", f"{root}:applied", *days)
