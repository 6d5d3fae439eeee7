"""What is kept in caches, by which rules, and how well that goes."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from apps.caching import statistics, write_behind
from apps.caching.local import process
from apps.caching.resources import Resource, all_resources
from apps.caching.shards import shards
from apps.caching.strategies import strategy
from apps.caching.write_behind import PendingUnknown
from apps.common.errors import Unavailable
from apps.messaging.staff_log import staff_change
from project.databases import CATALOG
from project.desk.edits import loss_in_words

SEES, MAY = "caching.view_invalidation", "catalog.change_product"
SHOWN = ("hits", "negative_hits", "misses", "fills", "refused", "dropped", "away")
MOST_ID = 200


class Caches:
    """The views below ``/admin/caches/`` of one site."""

    def __init__(self, site: AdminSite):
        self.site = site

    def urls(self) -> list:
        view = self.site.admin_view
        return [
            path("caches/", view(self.overview), name="caches"),
            path("caches/drop/", view(self.drop), name="caches_drop"),
        ]

    def overview(self, request: HttpRequest) -> HttpResponse:
        """Every resource with its policy and figures, the Redis servers, and what waits."""
        if not request.user.has_perm(SEES):
            raise PermissionDenied
        counts = statistics.all_statistics()
        context = {
            "title": "Caches",
            "resources": [_resource(one, counts.get(one.name, {})) for one in all_resources()],
            "local": [(name, one) for name, one in process.statistics().items()],
            "shards": [(one.name, one.is_away) for one in shards().all],
            "buffers": [_buffer(one) for one in write_behind.all_buffers()],
            "loss": loss_in_words(),
            "may_drop": request.user.has_perm(MAY),
        }
        request.current_app = self.site.name
        return TemplateResponse(
            request, "admin/caches/overview.html", self.site.each_context(request) | context
        )

    @method_decorator(require_POST)
    def drop(self, request: HttpRequest) -> HttpResponse:
        """Takes one value out of the cache everywhere."""
        if not (request.user.has_perm(SEES) and request.user.has_perm(MAY)):
            raise PermissionDenied
        name, one = request.POST.get("resource", ""), request.POST.get("id", "").strip()
        if name not in {known.name for known in all_resources()} or not 0 < len(one) <= MOST_ID:
            messages.error(request, "Say of which resource, and the id of what is to go.")
            return HttpResponseRedirect(reverse("admin:caches"))
        with transaction.atomic(using=CATALOG):
            staff_change(CATALOG, subject=name, subject_id=one[:64], action="drop_cache")
        try:
            strategy(name).drop([one])
        except Unavailable:
            messages.error(request, "The cache does not answer; it is tried again.")
        else:
            messages.success(request, f"{one} of {name} is not in the cache any more.")
        return HttpResponseRedirect(reverse("admin:caches"))


def _resource(resource: Resource, counts: Mapping[str, int]) -> dict[str, Any]:
    policy = resource.policy
    asked = sum(counts.get(name, 0) for name in ("hits", "negative_hits", "misses"))
    answered = counts.get("hits", 0) + counts.get("negative_hits", 0)
    local = policy.local
    return {
        "name": resource.name,
        "strategy": policy.strategy.value,
        "policy": (
            f"{policy.ttl:g} s ± {policy.jitter:.0%}, none for {policy.negative_ttl:g} s, "
            f"{policy.serializer.value}{', strict' if policy.strict else ''}"
        ),
        "local": f"{local.eviction.value.upper()}, {local.entries:,} entries, "
        f"{local.megabytes:g} MB, confirmed within {local.seconds:g} s"
        if local
        else "–",
        "overridden": resource.name in settings.CACHE_POLICIES,
        "ratio": f"{answered / asked:.1%}" if asked else "–",
        "counts": [counts.get(name, 0) for name in SHOWN],
    }


def _buffer(buffer: write_behind.Buffer) -> dict[str, Any]:
    try:
        return {"name": buffer.name, "limit": buffer.limit, "is": write_behind.backlog(buffer)}
    except PendingUnknown:
        return {"name": buffer.name, "limit": buffer.limit, "is": None}
