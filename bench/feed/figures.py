"""Figures and targets of ``bench feed``. Pure."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from bench.figures import Target

PER_SECOND = 20_000.0


def summary(changes: int, rounds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of rounds of ``changes`` each: ``seconds`` and processor seconds by kind (``cpu``)."""
    kinds = sorted({kind for one in rounds for kind in one["cpu"]})
    return {
        "per_second": round(changes / median(one["seconds"] for one in rounds)),
        "rounds": [round(changes / one["seconds"]) for one in rounds],
        "cpu_us_each": {
            kind: round(1e6 * median(one["cpu"].get(kind, 0.0) for one in rounds) / changes, 1)
            for kind in kinds
        },
    }


def targets(report: Mapping[str, Any]) -> list[Target]:
    """Both rates are judged; nothing may be lost."""
    found = report["feed"]
    return [
        Target("changes accepted", found["accepted"]["per_second"], PER_SECOND, "/s"),
        Target("rows flushed", found["flushed"]["per_second"], PER_SECOND, "/s"),
        Target("changes that did not get into the database", found["lost"], 0, most=True),
    ]
