"""Carries the notes of what was sold to Redis, each to be counted once.

The script adds a batch only if it knows none of its keys, and remembers them; then the notes are
deleted. Whoever dies in between leaves notes that the next one finds counted. Keys are remembered
for an hour; a batch read half an hour ago is refused, so no note outlives its key.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import permutations
from typing import Any

import msgspec
import orjson
import structlog
from django.conf import settings
from django.db import transaction

from apps.catalog.engagement import sale_scripts
from apps.catalog.engagement.names import AWAY, DAY, key, script
from apps.catalog.engagement.sales import GROUP, TOPICS, Note, handle, product_of
from apps.catalog.enums import DATABASE
from apps.common.databases import execute, fetch_all, fetch_one
from apps.common.failpoints import failpoint
from apps.common.redis import durable
from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup

log = structlog.get_logger(__name__)
COUNTING = 7_008_001  # the advisory lock of whoever carries notes
NOTES = 500
WEIGHT = 2_000  # additions of one script: it keeps Redis from others for a few milliseconds
REMEMBERED = 3_600
DAYS = 8  # days of sales that are kept: a week, and today
SECONDS = 400 * DAY  # what nobody has bought for so long is forgotten


def notes_count(*, most: int = 20_000) -> int:
    """Counts what is noted, up to ``most``; how many notes. Does nothing while somebody else is at
    it; raises one of ``names.AWAY`` where Redis is."""
    done = 0
    with counting() as mine:
        while mine and done < most:
            read = clock()
            rows = fetch_all(
                DATABASE,
                "SELECT id, key, day, sign, lines::text, basket FROM catalog_salenote"
                " ORDER BY id LIMIT %s",
                [NOTES],
            )
            if not rows:
                break
            notes = [
                Note(one, day, sign, orjson.loads(lines), basket)
                for _, one, day, sign, lines, basket in rows
            ]
            for batch in batches(notes):
                count(batch, read=read)
            _delete([row[0] for row in rows])
            done += len(rows)
    return done


def notes_waiting() -> int:
    """How many notes are not counted yet."""
    [waiting] = fetch_one(DATABASE, "SELECT count(*) FROM catalog_salenote")
    return waiting


def count(notes: Sequence[Note], *, read: float, generation: str = "") -> None:
    """Adds the notes that are not counted yet, in one script; ``read`` is when they were read, by
    Redis's clock."""
    while notes:
        known = set(_sold(*_payload(notes, read), generation))
        if not known:
            return
        if b"-1" in known:
            raise TimeoutError("the notes were read too long ago")
        notes = [one for one in notes if one.key.encode() not in known]


def after_commit(events: Sequence[Received]) -> None:
    """Counts at once what was noted just now; the job finds what is left behind here."""
    try:
        notes_count()
    except AWAY as error:
        log.warning("engagement.away", error=str(error))


@contextmanager
def counting(*, wait: bool = False) -> Iterator[bool]:
    """Whether the caller alone carries notes now."""
    function = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
    [mine] = fetch_one(DATABASE, f"SELECT {function}(%s)", [COUNTING])
    mine = mine is not False  # pg_advisory_lock answers nothing
    try:
        yield mine
    finally:
        if mine:
            execute(DATABASE, "SELECT pg_advisory_unlock(%s)", [COUNTING])


def clock() -> float:
    """Seconds since 1970 by Redis's clock."""
    seconds, microseconds = durable().time()
    return seconds + microseconds / 1e6


def _delete(ids: Sequence[int]) -> None:
    with transaction.atomic(using=DATABASE):
        execute(DATABASE, "DELETE FROM catalog_salenote WHERE id = ANY(%s)", [list(ids)])
        failpoint("catalog.count.before_commit")
    failpoint("catalog.count.after_commit")


def batches(notes: Sequence[Note]) -> Iterator[list[Note]]:
    """The notes in portions for one script each."""
    batch: list[Note] = []
    weight = 0
    for note in notes:
        lines = len(note.lines)
        weight += 2 * lines + (lines * (lines - 1) if _is_basket(note) else 0)
        batch.append(note)
        if weight >= WEIGHT:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _is_basket(note: Note) -> bool:
    return note.basket and 1 < len(note.lines) <= settings.ENGAGEMENT_BASKET


def _payload(notes: Sequence[Note], read: float) -> tuple[dict[str, Any], list[bytes]]:
    """What the script gets, with the products it means by their place in the list."""
    places: dict[str, int] = {}
    days: dict[int, Counter[int]] = {}
    together: Counter[tuple[int, int]] = Counter()
    everything: Counter[int] = Counter()
    for note in notes:
        lines = [
            (places.setdefault(product, len(places) + 1), pieces * note.sign)
            for product, pieces in note.lines
        ]
        for place, pieces in lines:
            days.setdefault(note.day, Counter())[place] += pieces
            everything[place] += pieces
        if _is_basket(note):
            for pair in permutations([place for place, _ in lines], 2):
                together[pair] += note.sign
    payload = {
        "read": read,
        "remembered": REMEMBERED,
        "most": settings.ENGAGEMENT_PRODUCTS,
        "most_a_day": settings.ENGAGEMENT_PRODUCTS_A_DAY,
        "days": DAYS,
        "together": settings.ENGAGEMENT_TOGETHER,
        "seconds": SECONDS,
        "products": settings.ENGAGEMENT_TOGETHER_PRODUCTS,
        "events": [note.key for note in notes],
        "all": _flat(everything),
        "sold": [[day, *_flat(sold)] for day, sold in sorted(days.items())],
        "with": [value for (one, other), n in together.items() if n for value in (one, other, n)],
    }
    return payload, [product_of(one) for one in places]


def _flat(counts: Counter[int]) -> list[int]:
    return [value for place, n in counts.items() if n for value in (place, n)]


def _sold(payload: dict[str, Any], products: Sequence[bytes], generation: str) -> list[bytes]:
    args = ["", generation, msgspec.msgpack.encode(payload), *products]
    keys = [key("sales"), key("sales:")]
    return script(sale_scripts.SOLD)(keys, args, client=durable())


ENGAGEMENT = ConsumerGroup(GROUP, DATABASE, TOPICS, handle, after_commit)
