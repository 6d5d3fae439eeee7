"""The third line of defence: whatever an event says was changed leaves the cache.

The first is the fence around the write, the second the note that is left where Redis is away. This
one finds what a writer did outside both, as long as it told of it.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from apps.caching import invalidations
from apps.caching.keys import Key
from apps.catalog.caching.names import NAMES, PRICES, PRODUCT, SHELF_TAG, TREE
from apps.catalog.enums import DATABASE
from apps.common.databases import fetch_all
from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup

IN_CATEGORIES = """
    SELECT p.public_id FROM catalog_product p JOIN catalog_category c ON c.id = p.category_id
    WHERE c.public_id = ANY(%s::uuid[]) AND p.active AND p.deleted IS NULL
"""


def note_changed(events: Sequence[Received]) -> None:
    """Notes what ``events`` name, in the transaction of their inbox rows."""
    if keys := keys_of(events):
        invalidations.note(DATABASE, keys)


def perform_noted(events: Sequence[Received]) -> None:
    """Invalidates what was noted; what is left over is found by the job."""
    invalidations.perform(DATABASE)


def keys_of(events: Sequence[Received]) -> list[Key]:
    """What the events of products, categories and stock make stale."""
    products: set[str] = set()
    categories: set[UUID] = set()
    keys: list[Key] = []
    for event in events:
        kind = event.topic.partition(".")[0]
        if kind == "product":
            keys += [NAMES, PRICES]
        if kind == "category":
            categories.add(event.payload.category_id)
            keys += [TREE, SHELF_TAG]
        else:
            products |= set(_products_of(event.payload))
    if categories:
        rows = fetch_all(DATABASE, IN_CATEGORIES, [list(categories)])
        products |= {str(public_id) for [public_id] in rows}
    return list(dict.fromkeys([*keys, *(Key(PRODUCT, one) for one in sorted(products))]))


def _products_of(payload: object) -> Iterable[str]:
    """Of events about one product, or about the lines of an order."""
    if (product_id := getattr(payload, "product_id", None)) is not None:
        return [str(product_id)]
    return [str(line.product_id) for line in getattr(payload, "lines", ())]


CACHE = ConsumerGroup(
    name="catalog.cache",
    alias=DATABASE,
    topics=("product.*", "category.*", "stock.*"),
    handle=note_changed,
    after_commit=perform_noted,
)
