"""Ratios and targets of ``bench reads``. Pure."""

from collections.abc import Mapping
from typing import Any

from bench.figures import Target

HALF_LOAD_MS, LIST_QUERIES = 10.0, 3
WANTED = {"drf_redis": 12.0, "cacheops": 5.0, "drf_redis_changes": 8.0}
NAMES = {
    "drf_redis": "Holdfast / DRF through django-redis",
    "cacheops": "Holdfast / DRF through django-cacheops",
    "drf_redis_changes": "the same as the first while 1 % are price changes",
}


def ratios(found: Mapping[str, Any]) -> dict[str, float]:
    """How many times a peer's requests per second Holdfast's are."""
    ratio = {}
    for part, end in (("reads", ""), ("changes", "_changes")):
        rates = {name: facts["per_second"] for name, facts in found.get(part, {}).items()}
        mine = rates.pop("holdfast", 0)
        ratio |= {f"{name}{end}": round(mine / rate, 2) for name, rate in rates.items()}
    return ratio


def targets(report: Mapping[str, Any]) -> list[Target]:
    """The targets of what the report holds."""
    ratio, found = report["ratio"], report["reads"]
    judged = [
        Target(NAMES[name], ratio[name], wanted, " x")
        for name, wanted in WANTED.items()
        if name in ratio
    ]
    if half := found.get("half_load"):
        judged.append(Target("p99 at half load", half["p99_ms"], HALF_LOAD_MS, " ms", most=True))
    if page := found.get("list"):
        judged.append(
            Target("queries of a page of 20", page["queries_cold"], LIST_QUERIES, most=True)
        )
    return judged
