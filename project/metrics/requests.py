"""Counts requests by route and status; the first middleware but one.

Each process counts for itself. Where several serve one address, ``PROMETHEUS_MULTIPROC_DIR`` names
a directory in which they add up (prometheus-client reads the variable by itself).
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Histogram

from apps.catalog.engagement import figures

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REGISTRY = CollectorRegistry()
if settings.METRICS_DIRECTORY:
    Path(settings.METRICS_DIRECTORY).mkdir(parents=True, exist_ok=True)
answered = Counter(
    "holdfast_requests",
    "Requests answered.",
    ["method", "route", "status"],
    registry=REGISTRY,
)
took = Histogram(
    "holdfast_request_seconds",
    "Seconds until a request was answered.",
    ["method", "route"],
    buckets=BUCKETS,
    registry=REGISTRY,
)
REGISTRY.register(figures.RECORDED)


@lru_cache(maxsize=10_000)
def _counters(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Found once: looking them up costs more than counting."""
    return answered.labels(method, route, str(status)), took.labels(method, route)


class Requests:
    """Counts what becomes of each request, by its route as the URL map writes it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        method = request.method if request.method in METHODS else "other"
        count, seconds = _counters(method, match.route if match else "none", response.status_code)
        count.inc()
        seconds.observe(perf_counter() - began)
        return response
