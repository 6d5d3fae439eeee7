"""What staff see of it, on the dashboard and on a product's page."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from apps.catalog.engagement import reading
from apps.catalog.engagement.reading import Insights, Window
from apps.catalog.engagement.window import shown


@dataclass(frozen=True, slots=True)
class Ranked:
    """A product for sale with its count: views, pieces or orders."""

    product_id: UUID
    sku: str
    name: str
    count: float


@dataclass(frozen=True, slots=True)
class Ranking:
    rows: tuple[Ranked, ...]
    complete: bool


def trending(*, most: int) -> Ranking:
    """What is looked at now; counts are views, each half after a half-life."""
    return _ranking(reading.trending, most)


def best_sellers_of_the_week(*, most: int) -> Ranking:
    """By pieces, of today and the six days before (UTC)."""
    return _ranking(partial(reading.best_sellers, "week"), most)


def product_insights(*, product_id: UUID, most: int) -> tuple[Insights, Ranking]:
    """Views, visitors and sales of a product; what is bought together with it, by orders."""
    together = _ranking(partial(reading.bought_together, product_id), most)
    return reading.insights(product_id), together


def _ranking(read: Callable[[int], Window], most: int) -> Ranking:
    found = shown(read, most)
    rows = []
    for product_id, product, count in found.products:
        data = product.data
        rows.append(Ranked(product_id, data["sku"], data["name"], count))
    return Ranking(tuple(rows), found.complete)
