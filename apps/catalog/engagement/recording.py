"""Records views and searches: at once in this process, in Redis half a second later.

``record_view`` and ``record_search`` are the doors. They append to a buffer; its thread adds up
what came together and sends it in one pipeline. Redis away: dropped and counted, and for a second
nothing is tried.
"""

import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from uuid import UUID

import redis
import structlog
from django.conf import settings

from apps.catalog.engagement import figures, scripts
from apps.catalog.engagement.buffer import Buffer
from apps.catalog.engagement.names import AWAY, DAY, key, script
from apps.catalog.engagement.visitors import Visitor
from apps.common.redis import durable

log = structlog.get_logger(__name__)
EVERYBODY = "all"  # the list of what anybody saw
CHUNK = 250  # additions of one script: it keeps Redis from others for about a millisecond
PAUSE = 1.0  # seconds without an attempt after one that failed
LONGEST_TERM, SHORTEST_TERM = 64, 2
LEAST_VIEWS = 0.001  # what has decayed to less is forgotten
TRENDING, TERMS = "trending", "terms"  # their marks and names stand beside them


def record_view(product_id: str, visitor: Visitor) -> None:
    """Somebody looks at a product; costs an append. ``product_id`` as it stands in addresses."""
    buffer.add((product_id, visitor))


def record_search(term: str) -> None:
    """Somebody searched for ``term`` and found something; costs an append."""
    buffer.add((None, term))


def normalised(term: str) -> str | None:
    """The term as it is counted, so that “Tea  Cup” is “tea cup”; None for one that is none."""
    text = folded(term)
    fits = SHORTEST_TERM <= len(text) <= LONGEST_TERM and text.isprintable()
    return text if fits else None


def folded(text: str) -> str:
    """One way to write what is the same to a reader: case, width, runs of spaces."""
    return " ".join(unicodedata.normalize("NFKC", text[:1_000]).casefold().split())


class _Delivery:
    """Writes batches to Redis, unless it was away a moment ago."""

    def __init__(self):
        self._not_before = 0.0

    def __call__(self, batch: Sequence[tuple], *, now: float | None = None) -> None:
        if time.monotonic() < self._not_before:
            figures.away(len(batch))
            return
        try:
            with durable().pipeline(transaction=False) as pipe:
                write(pipe, batch, now=now)
                pipe.execute()
        except AWAY as error:
            self._not_before = time.monotonic() + PAUSE
            figures.away(len(batch))
            log.warning("engagement.away", error=str(error), lost=len(batch))
        else:
            figures.written(len(batch))


def write(pipe: redis.client.Pipeline, batch: Sequence[tuple], *, now: float | None = None) -> None:
    """Puts what ``batch`` (as recorded, the oldest first) adds to the counts into the pipeline."""
    at = "" if now is None else repr(now)
    views, terms = Counter[bytes](), Counter[str]()
    seen: list[tuple[bytes, Visitor]] = []  # each pair once, by when it was last seen
    for (product_id, what), count in _counted(batch):
        if product_id is None:
            if term := normalised(what):
                terms[term] += count
        elif what.counts and (member := _member(product_id)):
            views[member] += count
            seen.append((member, what))
    _write_terms(pipe, at, terms)
    _write_views(pipe, at, views)
    _write_visits(pipe, at, seen)
    _write_seen(pipe, at, seen)


def _counted(batch: Sequence[tuple]) -> list[tuple[tuple, int]]:
    """Each item once with its count, the last seen last."""
    counts = Counter(reversed(batch))  # keeps the order in which items are first met
    return list(reversed(counts.items()))


def _member(product_id: str) -> bytes | None:
    try:
        return UUID(product_id).bytes
    except ValueError:
        return None


def _write_terms(pipe, at: str, terms: Counter[str]) -> None:
    half, names = settings.ENGAGEMENT_TERM_HALF_LIFE_DAYS * DAY, [key(TERMS), key(f"{TERMS}:mark")]
    bounds = [at, half, settings.ENGAGEMENT_TERMS, LEAST_VIEWS, int(half * 10)]
    for flat in _chunks(terms.items()):
        _run(pipe, scripts.DECAYED, [*names, key(f"{TERMS}:names")], [*bounds, *flat])


def _write_views(pipe, at: str, views: Counter[bytes]) -> None:
    half = settings.ENGAGEMENT_HALF_LIFE_HOURS * 3_600
    names = [key(TRENDING), key(f"{TRENDING}:mark")]
    bounds = [at, half, settings.ENGAGEMENT_PRODUCTS, LEAST_VIEWS, int(half * 20)]
    days = [at, settings.ENGAGEMENT_PRODUCTS_A_DAY, settings.ENGAGEMENT_VISITOR_DAYS]
    for flat in _chunks(views.items()):
        _run(pipe, scripts.DECAYED, names, [*bounds, *flat])
        _run(pipe, scripts.VIEWED, [key("views:")], [*days, *flat])


def _write_visits(pipe, at: str, seen: Sequence[tuple[bytes, Visitor]]) -> None:
    # Two clocks tell the day: near midnight somebody may count on both sides, which a sketch hides.
    day = int((float(at) if at else time.time()) // DAY)
    bounds = [at, settings.ENGAGEMENT_VISITED_PRODUCTS, settings.ENGAGEMENT_VISITOR_DAYS]
    pairs = [(member, visitor.counted_as(day)) for member, visitor in seen]
    for flat in _chunks(pairs):
        _run(pipe, scripts.VISITED, [key("visitors:")], [*bounds, *flat])


def _write_seen(pipe, at: str, seen: Sequence[tuple[bytes, Visitor]]) -> None:
    """What customers saw, what visitors saw, what anybody saw. The first two are bounded each for
    itself: visitors who are made up cannot push out customers."""
    seconds = int(settings.ENGAGEMENT_RECENT_DAYS * DAY)
    bounds = [at, settings.ENGAGEMENT_RECENT, settings.ENGAGEMENT_RECENT_LISTS, seconds]
    named = [(visitor.list_name, member) for member, visitor in seen]
    for kind in "cv":
        for flat in _chunks([one for one in named if one[0] and one[0][0] == kind]):
            _run(pipe, scripts.SEEN, [key(f"recent-{kind}"), key("recent:")], [*bounds, *flat])
    anybody = list(dict.fromkeys(member for member, _ in reversed(seen)))[:100]
    everybody = [(EVERYBODY, member) for member in reversed(anybody)]
    for flat in _chunks(everybody):
        bounds = [at, 100, 1, seconds]
        _run(pipe, scripts.SEEN, [key("recent-all"), key("recent:")], [*bounds, *flat])


def _chunks(pairs) -> Iterator[list]:
    pairs = list(pairs)
    for start in range(0, len(pairs), CHUNK):
        yield [value for pair in pairs[start : start + CHUNK] for value in pair]


def _run(pipe, text: str, keys: list[str], args: list) -> None:
    script(text)(keys=keys, args=args, client=pipe)


deliver = _Delivery()
buffer = Buffer(deliver, figures.full, most=settings.ENGAGEMENT_BUFFER)
