"""What Django counts of each request, gathered here and counted in sets by another thread."""

from bisect import bisect_left
from collections import deque

from prometheus_client import Histogram

from project.metrics import requests

METHOD = "GET"


class Tallies:
    """Answered requests of one route: how many by status, and how long they took."""

    def __init__(self, route: str):
        self._route = route
        self._taken: deque[tuple[int, float]] = deque()

    def add(self, status: int, seconds: float) -> None:
        """Costs a tenth of a microsecond; ``flush`` does the counting."""
        self._taken.append((status, seconds))

    def flush(self) -> None:
        """Adds what came since the last time to the metrics."""
        by_status: dict[int, int] = {}
        buckets = [0] * (len(requests.BUCKETS) + 1)
        total = 0.0
        for _ in range(len(self._taken)):
            status, seconds = self._taken.popleft()
            by_status[status] = by_status.get(status, 0) + 1
            buckets[bisect_left(requests.BUCKETS, seconds)] += 1
            total += seconds
        if not by_status:
            return
        for status, number in by_status.items():
            requests.answered.labels(METHOD, self._route, str(status)).inc(number)
        _observe(requests.took.labels(METHOD, self._route), buckets, total)


def _observe(histogram: Histogram, buckets: list[int], total: float) -> None:
    """Many observations at once, which prometheus_client offers for one only (pinned; tested)."""
    histogram._sum.inc(total)
    for value, number in zip(histogram._buckets, buckets, strict=True):
        if number:
            value.inc(number)
