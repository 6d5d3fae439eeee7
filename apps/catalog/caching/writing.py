"""The bracket around every write to products, categories and stock.

with caching.writing() as cached, naming_clashes():
    …
    cached.products([product.public_id], names=True)
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from apps.caching import invalidations
from apps.caching.changing import Changes, changing
from apps.caching.keys import Key
from apps.caching.policies import Strategy
from apps.caching.resources import find_resource
from apps.caching.strategies import strategy
from apps.catalog.caching import known
from apps.catalog.caching.names import KNOWN, NAMES, PRICES, PRODUCT, SHELF_TAG, TREE
from apps.catalog.enums import DATABASE
from apps.common.databases import fetch_all

MOST_FILLED = 200  # products of one write that are put into the cache anew


class CatalogChanges:
    """Says what a write changes: in its transaction, once the ids are known, before COMMIT."""

    def __init__(self, changes: Changes):
        self._changes = changes

    def products(
        self,
        ids: Iterable[UUID],
        *,
        names: bool = False,
        prices: bool = False,
        through: bool = False,
    ) -> None:
        """These products answer otherwise from now on.

        ``names``: so do pages in the order of names (a product comes, goes, is renamed or moved);
        ``prices``: pages by price. ``through``: the new values go into the cache after the commit.
        """
        ids = [str(one) for one in ids]
        if not ids:
            return
        keys = [Key(PRODUCT, one) for one in ids]
        self._changes.touch([*keys, *([NAMES] if names else []), *([PRICES] if prices else [])])
        if through and len(ids) <= MOST_FILLED:
            transaction.on_commit(lambda: _fill(ids), using=DATABASE, robust=True)

    def made(self, ids: Iterable[UUID], *, through: bool = False) -> None:
        """Products whose rows were just inserted: from now on their ids are known."""
        ids = list(ids)
        self.products(ids, names=True, prices=True, through=through)
        if not known.add(ids):
            invalidations.note(DATABASE, [KNOWN])  # it must not say "unknown" of these
            transaction.on_commit(
                lambda: invalidations.perform(DATABASE), using=DATABASE, robust=True
            )

    def category(self, category_pk: int | None = None) -> None:
        """The tree changes; with ``category_pk`` also how this category's products show it."""
        self._changes.touch([TREE, SHELF_TAG])
        if category_pk is not None:
            self.products(ids_in(category_pk))


@contextmanager
def writing() -> Iterator[CatalogChanges]:
    """Around a transaction on the catalogue, or around a part of one that it fails with."""
    with changing(DATABASE) as changes:
        yield CatalogChanges(changes)


def ids_in(category_pk: int) -> list[UUID]:
    """The products of a category that visitors may see."""
    rows = fetch_all(
        DATABASE,
        "SELECT public_id FROM catalog_product"
        " WHERE category_id = %s AND active AND deleted IS NULL",
        [category_pk],
    )
    return [public_id for [public_id] in rows]


def _fill(ids: list[str]) -> None:
    if find_resource(PRODUCT).policy.strategy is Strategy.WRITE_THROUGH:
        strategy(PRODUCT).get_many(ids)
