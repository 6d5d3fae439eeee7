"""Holdfast alone: everybody wants the same product; one worker process or two."""

import statistics
from typing import Any

from bench.sagas.draining import drain
from bench.sagas.screen import Progress
from bench.shop import Shop


def measure_hot(shop: Shop, runs: int, rounds: int, progress: Progress) -> dict[str, Any]:
    """One hot product against orders spread over all, in turns."""
    rates: dict[str, list[float]] = {"spread": [], "hot": []}
    for number in range(rounds):
        for name, products in (("spread", None), ("hot", 1)):
            done = drain(shop, runs, prefix=f"{name}-{number}", products=products)
            progress.drained(f"{name} product{'s' if name == 'spread' else ''}", done)
            rates[name].append(done.per_second)
    hot, spread = statistics.median(rates["hot"]), statistics.median(rates["spread"])
    return {
        "hot_per_second": round(hot, 1),
        "spread_per_second": round(spread, 1),
        "ratio": round(hot / spread, 3),
    }


def measure_workers(shop: Shop, runs: int, rounds: int, progress: Progress) -> dict[str, Any]:
    """The engine with one and with two worker processes, in turns."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    for number in range(rounds):
        for children in rates:
            done = drain(shop, runs, prefix=f"workers-{children}-{number}", children=children)
            progress.drained(f"{children} worker{'s' if children > 1 else ''}", done)
            rates[children].append(done.per_second)
    one, two = (statistics.median(rates[children]) for children in (1, 2))
    return {
        "one_per_second": round(one, 1),
        "two_per_second": round(two, 1),
        "ratio": round(two / one, 3),
    }
