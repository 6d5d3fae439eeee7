"""The shop window: of ids in an order, the products for sale, as the cache has them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from apps.caching.strategies import strategy
from apps.catalog.caching.names import PRODUCT
from apps.catalog.caching.products import CachedProduct
from apps.catalog.engagement.reading import Window


@dataclass(frozen=True, slots=True)
class Shown:
    """``products`` in order, each with its count; not ``complete`` where Redis did not answer."""

    products: tuple[tuple[UUID, CachedProduct, float], ...]
    complete: bool


def shown(read: Callable[[int], Window], most: int, *, without: Collection[UUID] = ()) -> Shown:
    """Up to ``most`` of what ``read(n)`` names, leaving out what is not for sale.

    It is asked for twice as many, so that the window is full even where half of them are gone.
    """
    window = read(2 * most + len(without))
    ranked = [
        (one, count)
        for one, count in zip(window.ids, window.counts, strict=True)
        if one not in without
    ]
    found = strategy(PRODUCT).get_many([str(one) for one, _ in ranked]) if ranked else {}
    products = [
        (one, product, count)
        for one, count in ranked
        if (product := found.get(str(one))) is not None
    ]
    return Shown(tuple(products[:most]), window.complete)
