"""What the search costs those who write: with it, without, and with the index it has replaced."""

import statistics
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
ADDED, PRICED = 10_000, 3_000
OLD_INDEX = """
    CREATE INDEX product_search_before ON catalog_product USING gin (
        upper(name::text) gin_trgm_ops, upper(sku::text) gin_trgm_ops,
        upper(description::text) gin_trgm_ops)
"""
STATES = {
    "search": (),
    "nothing": ("ALTER TABLE catalog_product DISABLE TRIGGER USER",),
    "icontains_index": ("ALTER TABLE catalog_product DISABLE TRIGGER USER", OLD_INDEX),
}
PRICES = """
    UPDATE catalog_product SET price = price + 0.01, version = version + 1
    WHERE id IN (SELECT id FROM catalog_product ORDER BY id LIMIT %s)
"""


class _Undone(Exception):
    """Ends a transaction whose rows nobody wants."""


def measure(rounds: int, progress: Any) -> dict[str, dict[str, int]]:
    """Products per second added and priced in each state, medians; all is rolled back."""
    found: dict[str, dict[str, list[float]]] = {
        state: {"added_per_second": [], "priced_per_second": []} for state in STATES
    }
    for number in range(rounds):
        order = list(STATES)
        for state in order[number % len(order) :] + order[: number % len(order)]:
            added, priced = _once(state)
            found[state]["added_per_second"].append(added)
            found[state]["priced_per_second"].append(priced)
        progress.say(f"writes, round {number + 1} of {rounds}")
    return {
        state: {name: round(statistics.median(rates)) for name, rates in facts.items()}
        for state, facts in found.items()
    }


def _once(state: str) -> tuple[float, float]:
    from apps.catalog.enums import DATABASE
    from apps.common.databases import execute
    from bench.search.data import insert_products, settle, some_names

    names = some_names(ADDED)
    with _rolled_back():
        for statement in STATES[state]:
            execute(DATABASE, statement)
        begun = time.perf_counter()
        insert_products(names, [f"W-{n}" for n in range(ADDED)])
        middle = time.perf_counter()
        priced = execute(DATABASE, PRICES, [PRICED])
        end = time.perf_counter()
    settle()
    return ADDED / (middle - begun), priced / (end - middle)


@contextmanager
def _rolled_back():
    from django.db import transaction

    from apps.catalog.enums import DATABASE

    try:
        with transaction.atomic(using=DATABASE):
            yield
            raise _Undone
    except _Undone:
        return


def with_the_old_index(act: Callable[[], T]) -> T:
    """What ``act`` returns while products have the trigram index of earlier days."""
    from apps.catalog.enums import DATABASE
    from apps.common.databases import execute

    execute(DATABASE, "SET statement_timeout = 0")
    execute(DATABASE, OLD_INDEX)
    execute(DATABASE, "VACUUM ANALYZE catalog_product")
    try:
        return act()
    finally:
        execute(DATABASE, "DROP INDEX product_search_before")
