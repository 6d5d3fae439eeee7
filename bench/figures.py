"""What every benchmark makes of its measurements. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` % of the values do not exceed."""
    if not values:
        raise ValueError("no values")
    rank = math.ceil(percent / 100 * len(values))
    return sorted(values)[max(rank, 1) - 1]


def latencies(milliseconds: Sequence[float]) -> dict[str, Any]:
    """Count, median and p99."""
    return {
        "count": len(milliseconds),
        "p50_ms": round(percentile(milliseconds, 50), 1),
        "p99_ms": round(percentile(milliseconds, 99), 1),
    }


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure has to reach: at least (or, with ``most``, at most) ``wanted``."""

    name: str
    measured: float
    wanted: float
    unit: str = ""
    most: bool = False

    @property
    def passed(self) -> bool:
        return self.measured <= self.wanted if self.most else self.measured >= self.wanted


def as_json(targets: Sequence[Target]) -> list[dict[str, Any]]:
    """The targets as a report's JSON has them."""
    return [
        {"name": one.name, "measured": one.measured, "wanted": one.wanted, "passed": one.passed}
        for one in targets
    ]
