"""Asking every question once, in every way: how long it takes, and how much of it is found."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from bench.figures import latencies
from bench.search.questions import Question, recall

PAGE, FOUND = 20, 10
WARMING = 50


def at_the_database(asked: Sequence[Question]) -> dict[str, Any]:
    """The time of the statements of each search, with facets and without; recall of the misspelt
    ones: which of the ten that the right spelling finds first are among the first ten."""
    from apps.catalog import searching

    def ask(facets: bool) -> Callable[[Question], Any]:
        return lambda one: searching.search(text=one.asked, limit=PAGE, facets=facets)

    return {
        "with_facets": _timed(asked, ask(True)),
        "without": _timed(asked, ask(False)),
        "misspelt_with_facets": _timed([one for one in asked if one.misspelt], ask(True)),
        **recalls([one for one in asked if one.misspelt]),
    }


def recalls(misspelt: Sequence[Question]) -> dict[str, Any]:
    """``recall_at_10`` and how many questions there were."""
    from apps.catalog import searching

    shares = []
    for one in misspelt:
        found, wanted = (
            searching.search(text=text, limit=FOUND, facets=False).page
            for text in (one.asked, one.meant)
        )
        shares.append(recall([hit.product_id for hit in found], [hit.product_id for hit in wanted]))
    return {"recall_at_10": round(sum(shares) / len(shares), 4), "misspelt": len(shares)}


def by_icontains(asked: Sequence[Question]) -> dict[str, Any]:
    """Every word somewhere in name, SKU or description, by name: what Django offers by itself."""
    from django.db.models import Q

    from apps.catalog import selectors

    def ask(one: Question) -> list[str]:
        rows = selectors.products_for_sale()
        for word in one.asked.split():
            anywhere = Q(name__icontains=word) | Q(sku__icontains=word)
            rows = rows.filter(anywhere | Q(description__icontains=word))
        return [str(row.public_id) for row in rows.order_by("name", "public_id")[:PAGE]]

    facts = _timed(asked, ask)
    misspelt = [one for one in asked if one.misspelt]
    found = [recall(ask(one)[:FOUND], ask(Question(one.meant, one.meant))) for one in misspelt]
    return facts | {"recall_at_10": round(sum(found) / len(found), 4) if found else 0.0}


def over_http(shop: Any, asked: Sequence[Question]) -> dict[str, Any]:
    """The whole answer with its products, from one client that keeps its connection."""
    import urllib3

    facts = {}
    with shop.web() as origin:
        client = urllib3.PoolManager()
        for name, more in (("with_facets", ""), ("without", "&facets=false")):

            def ask(one: Question, more: str = more) -> None:
                address = f"{origin}/api/v1/catalog/search?q={quote(one.asked)}{more}"
                answer = client.request("GET", address, retries=False)
                if answer.status != 200:
                    raise SystemExit(f"{address}: {answer.status} {answer.data[:300]!r}")

            for one in asked[:WARMING]:
                ask(one)
            facts[name] = latencies([_seconds(lambda one=one: ask(one)) * 1000 for one in asked])
    return facts


def _timed(asked: Sequence[Question], ask: Callable[[Question], Any]) -> dict[str, Any]:
    for one in asked[:WARMING]:
        ask(one)
    times = []
    for one in asked:
        with _statements() as spent:
            ask(one)
        times.append(sum(spent) * 1000)
    return latencies(times)


@contextmanager
def _statements() -> Iterator[list[float]]:
    """The seconds of each statement on the catalogue's database, as its client waits for it."""
    from django.db import connections

    from apps.catalog.enums import DATABASE

    spent: list[float] = []

    def watch(execute: Any, *given: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(*given)
        finally:
            spent.append(time.perf_counter() - begun)

    with connections[DATABASE].execute_wrapper(watch):
        yield spent


def _seconds(act: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
