"""Answers from what is counted: ids of products, the first being the most looked at or sold.

Redis away: ``Window(ids=(), complete=False)`` after at most ``CACHE_TIMEOUT_SECONDS``, and for a
second without asking.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import structlog
from django.conf import settings

from apps.catalog.engagement import sale_scripts, scripts
from apps.catalog.engagement.names import AWAY, DAY, client, key, script
from apps.catalog.engagement.recording import EVERYBODY, PAUSE, TERMS, TRENDING, folded
from apps.catalog.engagement.visitors import Visitor

Answer = TypeVar("Answer")
log = structlog.get_logger(__name__)
PERIODS = {"day": 1, "week": 7, "all": 0}  # days, today being one of them; 0: of all time
TOGETHER = -1


@dataclass(frozen=True, slots=True)
class Window:
    """Products in order, each with its count: views now, pieces sold, orders in common; 0 where
    only the order says something. ``complete`` is False where Redis did not answer."""

    ids: tuple[UUID, ...] = ()
    counts: tuple[float, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Insights:
    """What is known of a product's visitors: ``views`` and ``visitors`` by how many days up to
    today (UTC); visitors are a HyperLogLog's estimate (±0.81 %)."""

    views_today: int = 0
    visitors: tuple[tuple[int, int], ...] = ()
    sold_today: int = 0
    sold_week: int = 0
    complete: bool = True


class _Asking:
    """Asks Redis, unless it was away a moment ago."""

    def __init__(self):
        self._not_before = 0.0

    def __call__(self, question: Callable[[], Answer], otherwise: Answer) -> Answer:
        if time.monotonic() < self._not_before:
            return otherwise
        try:
            return question()
        except AWAY as error:
            self._not_before = time.monotonic() + PAUSE
            log.warning("engagement.away", error=str(error))
            return otherwise


_ask = _Asking()
AWAY_NOW = Window(complete=False)


def trending(most: int, *, now: float | None = None) -> Window:
    """What is looked at now: a view counts half after ``ENGAGEMENT_HALF_LIFE_HOURS``."""
    keys = [key(TRENDING), key(f"{TRENDING}:mark")]
    return _ask(lambda: _window(script(scripts.LEADERS)(keys, [_at(now), most])), AWAY_NOW)


def best_sellers(period: str, most: int, *, now: float | None = None) -> Window:
    """What sells, by pieces: ``day`` (today, UTC), ``week`` (with the six days before), ``all``."""
    return _ask(lambda: _sellers(PERIODS[period], most, now), AWAY_NOW)


def bought_together(product_id: UUID, most: int) -> Window:
    """What stands in the same orders as the product, by orders."""
    return _ask(lambda: _sellers(TOGETHER, most, None, product_id.bytes), AWAY_NOW)


def recently_viewed(visitor: Visitor | None, most: int) -> Window:
    """What the visitor saw, the latest first; of nobody (None): what anybody saw."""
    name = EVERYBODY if visitor is None else visitor.list_name
    if name is None:
        return Window()
    return _ask(lambda: _listed(client().lrange(key(f"recent:{name}"), 0, most - 1)), AWAY_NOW)


def popular_terms(prefix: str, most: int, *, now: float | None = None) -> list[str]:
    """What is searched for a lot and begins with ``prefix``, the most searched for first. A term
    that few have searched for is not told: it may be a name."""
    start = folded(prefix)
    if not start:
        return []
    names = [key(TERMS), key(f"{TERMS}:mark"), key(f"{TERMS}:names")]
    first, last = b"[" + start.encode(), b"(" + start.encode() + b"\xff"
    args = [_at(now), first, last, most, settings.ENGAGEMENT_TERM_LEAST]
    return _ask(lambda: [one.decode() for one in script(scripts.NAMED)(names, args)], [])


def insights(product_id: UUID, *, now: float | None = None) -> Insights:
    """Views and visitors of a product, and its sales of the week; one round trip and a few."""
    return _ask(lambda: _insights(product_id.bytes, now), Insights(complete=False))


def _insights(member: bytes, now: float | None) -> Insights:
    today = int((time.time() if now is None else now) // DAY)
    root = key("sales:") + (client().get(key("sales")) or b"0").decode()
    prefix, spans = key("visitors:"), (1, 7, 30)
    with client().pipeline(transaction=False) as pipe:
        pipe.zscore(f"{key('views:')}{today}", member)
        for day in range(7):
            pipe.zscore(f"{root}:day:{today - day}", member)
        for span in spans:
            days = (f"{prefix}{today - day}:".encode() + member for day in range(span))
            pipe.pfcount(*days)
        views, *rest = pipe.execute()
    sold = [int(one or 0) for one in rest[:7]]
    visitors = tuple(zip(spans, rest[7:], strict=True))
    return Insights(int(views or 0), visitors, sold[0], sum(sold))


def _sellers(days: int, most: int, now: float | None, member: bytes = b"") -> Window:
    keys = [key("sales"), key("sales:")]
    return _window(script(sale_scripts.SELLERS)(keys, [_at(now), days, most, member]))


def _window(flat: Sequence[bytes]) -> Window:
    return Window(
        tuple(UUID(bytes=one) for one in flat[::2]), tuple(float(one) for one in flat[1::2])
    )


def _listed(members: Sequence[bytes]) -> Window:
    return Window(tuple(UUID(bytes=one) for one in members), (0.0,) * len(members))


def _at(now: float | None) -> str:
    return "" if now is None else repr(now)
