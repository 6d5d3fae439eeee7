"""What the back office's pages of the read model show: figures made ready for templates."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
from django.db.models import Sum
from django.utils import timezone

from apps.reporting import selectors
from apps.reporting.contracts import Lag
from apps.reporting.enums import REST, Dimension
from apps.reporting.lag import lag
from apps.reporting.models import DailySales

LATE_SECONDS = 60.0  # what is older than this without having been applied is late
MISSED_SECONDS = 200.0  # a heartbeat is sent every minute
DAYS, MOST_DAYS, MOST_KEYS = 30, 400, 100
# One colour per currency, readable on a dark and on a light ground.
COLOURS = ("var(--color-primary-500)", "var(--color-orange-500)", "var(--color-blue-500)")


def lag_tile() -> dict[str, Any]:
    """The three measures of the lag, each with whether it is bad."""
    now: Lag = lag()
    late = now.oldest_seconds is not None and now.oldest_seconds > LATE_SECONDS
    missed = now.heartbeat_seconds is not None and now.heartbeat_seconds > MISSED_SECONDS
    quiet = now.applied_at is None or timezone.now() - now.applied_at > timedelta(
        seconds=MISSED_SECONDS
    )
    return {
        "behind": "unknown" if now.behind is None else f"{now.behind:,}",
        "behind_bad": now.behind is None,
        "oldest": lasted(now.oldest_seconds),
        "oldest_bad": late or now.oldest_seconds is None,
        "heartbeat": f"{lasted(now.heartbeat_seconds)} ago"
        if now.heartbeat_seconds
        else "none yet",
        "heartbeat_bad": missed and quiet,
        "applied": f"{now.applied:,}",
        "applied_at": now.applied_at,
    }


def lasted(seconds: float | None) -> str:
    """``4.2 s``, ``3 min``, ``2 h``."""
    if seconds is None:
        return "unknown"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.0f} h"


@dataclass(slots=True)
class Sums:
    orders: int = 0
    pieces: int = 0
    revenue: Decimal = Decimal("0.00")
    refunds: Decimal = Decimal("0.00")

    def add(self, orders: int, pieces: int, revenue: Decimal, refunds: Decimal) -> None:
        self.orders += orders
        self.pieces += pieces
        self.revenue += revenue
        self.refunds += refunds

    @property
    def net(self) -> Decimal:
        return self.revenue - self.refunds


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the page is asked for; ``first`` and ``last`` are days of UTC."""

    dimension: str = Dimension.PRODUCT.value
    first: date = field(default_factory=lambda: timezone.now().date() - timedelta(days=DAYS - 1))
    last: date = field(default_factory=lambda: timezone.now().date())


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    currency: str
    sums: Sums


def sales_page(wanted: Wanted) -> dict[str, Any]:
    """Totals by currency, a chart by day and the keys that sold most."""
    days = selectors.daily_sales(Dimension.COUNTRY).filter(day__range=(wanted.first, wanted.last))
    sums = ("orders", "pieces", "revenue", "refunds")
    by_day: dict[tuple[date, str], Sums] = {}
    totals: dict[str, Sums] = defaultdict(Sums)
    for row in days.values("day", "currency").annotate(**{f"sum_{one}": Sum(one) for one in sums}):
        figures = [row[f"sum_{one}"] for one in sums]
        by_day.setdefault((row["day"], row["currency"]), Sums()).add(*figures)
        totals[row["currency"]].add(*figures)
    currencies = sorted(totals)
    rows, more = _rows(wanted)
    return {
        "totals": [(currency, totals[currency]) for currency in currencies],
        "chart": _chart(wanted, currencies, by_day),
        "rows": rows,
        "more": more,
        "days": [
            (day, currency, by_day[day, currency]) for day, currency in sorted(by_day, reverse=True)
        ],
    }


def _rows(wanted: Wanted) -> tuple[list[Row], bool]:
    """The keys by revenue, and whether there are more than are shown."""
    sums = ("orders", "pieces", "revenue", "refunds")
    cells = selectors.daily_sales(wanted.dimension).filter(day__range=(wanted.first, wanted.last))
    found = list(
        cells.values("key", "currency")
        .annotate(**{f"sum_{one}": Sum(one) for one in sums})
        .order_by("-sum_revenue", "key")[: MOST_KEYS + 1]
    )
    shown = found[:MOST_KEYS]
    titles = selectors.titles([DailySales(dimension=wanted.dimension, key=r["key"]) for r in shown])
    rows = [
        Row(
            titles.get((wanted.dimension, row["key"]), row["key"] or REST),
            row["currency"],
            Sums(*(row[f"sum_{one}"] for one in sums)),
        )
        for row in shown
    ]
    return rows, len(found) > MOST_KEYS


def _chart(wanted: Wanted, currencies: Sequence[str], by_day: dict[tuple[date, str], Sums]) -> str:
    """The net revenue of each day, for the library's bar chart."""
    count = min((wanted.last - wanted.first).days + 1, MOST_DAYS)
    days = [wanted.last - timedelta(days=n) for n in range(max(count, 0))][::-1]
    nothing = Sums()
    return orjson.dumps(
        {
            "labels": [f"{day:%-d %b}" for day in days],
            "datasets": [
                {
                    "label": currency,
                    "data": [float(by_day.get((day, currency), nothing).net) for day in days],
                    "backgroundColor": COLOURS[n % len(COLOURS)],
                    "borderColor": COLOURS[n % len(COLOURS)],
                    "displayYAxis": True,
                    "maxTicksXLimit": 8,
                }
                for n, currency in enumerate(currencies)
            ],
        }
    ).decode()
