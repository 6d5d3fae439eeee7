"""The dashboard: what a person who opens the back office should know first.

Each tile is one query (or none), and only for those who may see its subject.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from apps.catalog import facade as catalog
from apps.catalog.engagement import desk as engagement
from apps.orders import figures
from apps.orders.enums import OrderStatus
from apps.payments import facade as payments
from apps.sagas import facade as sagas
from project import health

DAYS = 30
MOST = 8  # rows in a list
PARTS_SECONDS = 0.25  # how long the page waits for the parts
SLOW_PART_SECONDS = 0.1
# One colour per currency, readable on a dark and on a light ground.
COLOURS = ("var(--color-primary-500)", "var(--color-orange-500)", "var(--color-blue-500)")
Tile = dict[str, Any]


def tiles(request: HttpRequest) -> dict[str, Tile]:
    """What the person may see, by the name of the tile."""
    return {
        name: tile()
        for name, (permission, tile) in TILES.items()
        if request.user.has_perm(permission)
    }


def _days() -> Tile:
    found = figures.days(count=DAYS)
    currencies = list(found)
    per_day = list(zip(*found.values(), strict=True))
    labels = [f"{days[0].day:%-d %b}" for days in per_day]
    orders = [sum(one.orders for one in days) for days in per_day]
    revenue = [
        _dataset(currency, [float(one.revenue) for one in found[currency]], colour)
        for currency, colour in zip(currencies, _colours(len(currencies)), strict=True)
    ]
    return {
        "currencies": currencies,
        "orders": sum(orders),
        "revenue": [
            (currency, f"{sum(one.revenue for one in found[currency]):,}")
            for currency in currencies
        ],
        "orders_chart": _chart(labels, [_dataset("Orders", orders, COLOURS[0])]),
        "revenue_chart": _chart(labels, revenue),
        "rows": [
            (days[0].day, count, [f"{one.revenue:,}" for one in days])
            for days, count in zip(reversed(per_day), reversed(orders), strict=True)
        ],
    }


def _colours(count: int) -> list[str]:
    return [COLOURS[n % len(COLOURS)] for n in range(count)]


def _dataset(label: str, values: list, colour: str) -> dict[str, Any]:
    return {
        "label": label,
        "data": values,
        "backgroundColor": colour,
        "borderColor": colour,
        "displayYAxis": True,
        "maxTicksXLimit": 8,
    }


def _chart(labels: list[str], datasets: list[dict]) -> str:
    return orjson.dumps({"labels": labels, "datasets": datasets}).decode()


def _states() -> Tile:
    found = figures.by_status()
    page = reverse("admin:orders_order_changelist")
    return {
        "rows": [
            (status.label, found.get(status.value, 0), f"{page}?status__exact={status.value}")
            for status in OrderStatus
        ]
    }


def _low_stock() -> Tile:
    count, rows = catalog.low_stock(below=settings.LOW_STOCK_BELOW, most=MOST)
    page = reverse("admin:catalog_product_changelist")
    return {
        "count": count,
        "below": settings.LOW_STOCK_BELOW,
        "rows": [(one, f"{page}?q={one.product_id}") for one in rows],
    }


def _trending() -> Tile:
    return _ranking(engagement.trending(most=MOST), digits=1)


def _sellers() -> Tile:
    return _ranking(engagement.best_sellers_of_the_week(most=MOST), digits=0)


def _ranking(found: engagement.Ranking, *, digits: int) -> Tile:
    page = reverse("admin:catalog_product_changelist")
    rows = [(one, f"{page}?q={one.product_id}") for one in found.rows]
    return {"rows": rows, "complete": found.complete, "digits": digits}


def _sagas() -> Tile:
    parked, slow, rows = sagas.troubled(slow_after=settings.SLOW_SAGA_SECONDS, most=MOST)
    return {
        "parked": parked,
        "slow": slow,
        "seconds": settings.SLOW_SAGA_SECONDS,
        "rows": [(one, reverse("admin:sagas_sagarun_change", args=[one.run_id])) for one in rows],
        "link": f"{reverse('admin:sagas_sagarun_changelist')}?status__exact=failed",
    }


def _money() -> Tile:
    count, rows = payments.open_discrepancies(most=MOST)
    page = "admin:payments_moneydiscrepancy"
    return {
        "count": count,
        "rows": [(label, at, reverse(f"{page}_change", args=[pk])) for pk, label, at in rows],
        "link": reverse(f"{page}_changelist"),
    }


@cache
def _readiness() -> health.Readiness:
    return health.Readiness(health.parts(), seconds=PARTS_SECONDS)


def _parts() -> Tile:
    readiness = _readiness()
    states, took = readiness.look(), readiness.took()
    rows = [
        (name.replace("-", " "), state if state != health.OK else f"slow: {took[name]:.2f} s")
        for name, state in states.items()
        if state != health.OK or took[name] > SLOW_PART_SECONDS
    ]
    return {"rows": rows, "good": len(states) - len(rows), "all": len(states)}


def _audit() -> Tile:
    return {"last": figures.last_audit(), "link": reverse("admin:orders_auditrun_changelist")}


TILES: dict[str, tuple[str, Callable[[], Tile]]] = {
    "days": ("orders.view_order", _days),
    "states": ("orders.view_order", _states),
    "stock": ("catalog.view_stockitem", _low_stock),
    "trending": ("catalog.view_product", _trending),
    "sellers": ("catalog.view_product", _sellers),
    "sagas": ("sagas.view_sagarun", _sagas),
    "money": ("payments.view_moneydiscrepancy", _money),
    "parts": ("sagas.view_sagarun", _parts),
    "audit": ("orders.view_auditrun", _audit),
}
