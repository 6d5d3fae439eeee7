"""Ratios and targets of ``bench writes``. Pure."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from bench.figures import Target, percentile

WAYS = ("write_behind", "database")
TIMES = 3.0


def summary(rounds: Sequence[Sequence[float]]) -> dict[str, float]:
    """Of the milliseconds of each change, round by round: the median round's rate, the median and
    p99 of all."""
    every = [one for some in rounds for one in some]
    return {
        "changes_per_second": round(median(1000 * len(one) / sum(one) for one in rounds), 1),
        "p50_ms": round(percentile(every, 50), 3),
        "p99_ms": round(percentile(every, 99), 3),
    }


def ratios(found: Mapping[str, Any]) -> dict[str, float]:
    """How many times as many changes as to the database."""
    ratio = {}
    for place in ("facade", "http"):
        rates = [found[place][way]["changes_per_second"] for way in WAYS]
        ratio[f"{place}_database"] = round(rates[0] / rates[1], 2)
    return ratio


def targets(report: Mapping[str, Any]) -> list[Target]:
    """The facade is judged, HTTP reported; nothing may be left or lost."""
    ratio, left = report["ratio"]["facade_database"], report["writes"]["left"]
    return [
        Target("one change by write-behind / to the database", ratio, TIMES, " x"),
        Target("changes that did not get into the database", left["lost"], 0, most=True),
    ]
