"""Answers ``GET /metrics``: to this machine, or to whoever knows ``METRICS_TOKEN``."""

from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from apps.caching.local import process
from project.metrics import caches, requests
from project.metrics.gauges import Gauges

# Whoever sends these speaks for somebody else, who may be anywhere.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


class Metrics:
    """Stands before the host check, as a probe does: it is asked for by address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response
        self.gauges = Gauges()
        process.every_moment(caches.tally)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path != "/metrics":
            return self.get_response(request)
        if not may_read(request):
            return HttpResponse("closed\n", status=HTTPStatus.FORBIDDEN, content_type="text/plain")
        said = generate_latest(self._counters()) + generate_latest(self._now())
        return HttpResponse(
            said, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
        )

    def _counters(self) -> CollectorRegistry:
        caches.tally()
        if not settings.METRICS_DIRECTORY:
            return requests.REGISTRY
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return registry

    def _now(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        registry.register(self.gauges)
        return registry


def may_read(request: HttpRequest) -> bool:
    """Whether the request brings the token, or comes from this machine where there is none."""
    token = settings.METRICS_TOKEN
    if token:
        return constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}")
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
