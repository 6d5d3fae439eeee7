"""A real shop's catalogue, and its products as often as its customers asked for them."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

REQUESTS = 20_000  # of one list, which the load goes through again and again
AT_ONCE, PIECES = 1_000, 10_000
SEED = 20_261_120


def fill(file: Path) -> dict[str, int]:
    """Imports the products of a sales file; how often each was sold, by public id."""
    from moneyed import Money

    from apps.catalog import facade
    from apps.catalog.contracts import ImportProduct, ReceiveStock
    from apps.orders.replay.reader import read_rows
    from apps.orders.replay.survey import survey_file

    survey = survey_file(file)
    sold = Counter(row.code for row in read_rows(file) if row.code in survey.products)
    ids: dict[str, Any] = {}
    commands = (
        ImportProduct(code, facts.name[:200] or code, Money(facts.pence / 100, "GBP"))
        for code, facts in survey.products.items()
    )
    for batch in _batches(commands):
        ids |= facade.import_products(batch)
    for batch in _batches(ReceiveStock("bench", one, PIECES) for one in ids.values()):
        facade.receive_stock(batch)
    return {str(ids[code]): number for code, number in sold.items()}


def _batches(commands: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(commands, AT_ONCE)):
        yield batch


def requests(
    sold: Mapping[str, int], *, change: float = 0.0, mode: str = "", count: int = REQUESTS
) -> list[str]:
    """Lines ``method TAB path TAB body``: products as popular as in the file; of ``change`` of the
    requests the price, evenly among them. The same list for everybody."""
    dice = random.Random(SEED)
    ids, weights = list(sold), list(accumulate(sold.values()))
    asked = dice.choices(ids, cum_weights=weights, k=count)
    every = round(1 / change) if change else 0
    lines = []
    for number, product_id in enumerate(asked):
        path = f"/api/v1/products/{product_id}"
        if every and number % every == every - 1:
            price = {"amount": f"{dice.randint(100, 9_999) / 100:.2f}", "currency": "GBP"}
            lines.append(f"PATCH\t{path}{mode}\t{json.dumps({'price': price})}")
        else:
            lines.append(f"GET\t{path}\t")
    return lines


def share_of_the_top(sold: Mapping[str, int], part: float) -> float:
    """The share of all requests that go to the most popular ``part`` of the products."""
    numbers: Sequence[int] = sorted(sold.values(), reverse=True)
    return sum(numbers[: max(round(part * len(numbers)), 1)]) / sum(numbers)
