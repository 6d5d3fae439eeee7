"""Ratios and targets of ``bench search``. Pure."""

from collections.abc import Mapping
from typing import Any

from bench.figures import Target

P99_MS, RECALL = 50.0, 0.95


def ratios(search: Mapping[str, Any]) -> dict[str, float]:
    """Of the medians and the recall, by those of ``icontains``; of writes, by those without any
    search."""
    database, before = search["database"], search["icontains"]
    writes = search["writes"]
    return {
        "icontains_p50": round(before["p50_ms"] / max(database["without"]["p50_ms"], 0.1), 2),
        "icontains_p99": round(before["p99_ms"] / max(database["without"]["p99_ms"], 0.1), 2),
        **{
            f"{name}_of_none": round(writes["search"][name] / writes["nothing"][name], 2)
            for name in ("added_per_second", "priced_per_second")
        },
    }


def targets(search: Mapping[str, Any]) -> list[Target]:
    """What the search has to reach."""
    database = search["database"]
    return [
        Target(
            "p99 at the database, with facets",
            database["with_facets"]["p99_ms"],
            P99_MS,
            " ms",
            most=True,
        ),
        Target(
            "p99 at the database, without facets",
            database["without"]["p99_ms"],
            P99_MS,
            " ms",
            most=True,
        ),
        Target("recall of misspelt words, many products", database["recall_at_10"], RECALL),
        Target("recall of misspelt words, real products", search["real"]["recall_at_10"], RECALL),
    ]
