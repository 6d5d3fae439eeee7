"""Edits of products that wait for the database, and those that it refused."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from apps.caching import write_behind
from apps.caching.write_behind import PendingUnknown
from apps.catalog.feed import desk, staff
from apps.catalog.feed.buffer import PRODUCTS
from apps.common.errors import HoldfastError

SEES, MAY = "catalog.view_product", "catalog.send_feed"
AWAY = "The durable Redis does not answer: what waits is not known now."


class Edits:
    """The views below ``/admin/edits/`` of one site."""

    def __init__(self, site: AdminSite):
        self.site = site

    def urls(self) -> list:
        view = self.site.admin_view
        return [
            path("edits/", view(self.waiting), name="edits"),
            path("edits/flush/", view(self.flush), name="edits_flush"),
            path("refused-edits/", view(self.refused), name="edits_refused"),
        ]

    def waiting(self, request: HttpRequest) -> HttpResponse:
        """What waits longest, with what it would change."""
        _need(request, SEES)
        term = request.GET.get("q", "").strip()[:100]
        context: dict[str, Any] = {"title": "Pending edits", "q": term, "may": _may(request)}
        try:
            context["backlog"] = write_behind.backlog(PRODUCTS)
            context["edits"] = desk.edits_waiting(term=term)
            context["loss"] = loss_in_words()
        except PendingUnknown:
            context["away"] = AWAY
        return self._answer(request, "admin/edits/waiting.html", context)

    @method_decorator(require_POST)
    def flush(self, request: HttpRequest) -> HttpResponse:
        """Writes all of them now."""
        _need(request, MAY)
        try:
            done = staff.edits_flush()
        except PendingUnknown:
            messages.error(request, AWAY)
        else:
            messages.success(request, f"{_edits(done)} written.")
        return HttpResponseRedirect(reverse("admin:edits"))

    def refused(self, request: HttpRequest) -> HttpResponse:
        """The dead letters; with POST those chosen are tried again, or thrown away."""
        _need(request, SEES)
        if request.method == "POST":
            _need(request, MAY)
            self._settle(request)
            return HttpResponseRedirect(reverse("admin:edits_refused"))
        context: dict[str, Any] = {
            "title": "Refused edits",
            "may": _may(request),
            "most_reason": staff.MOST_REASON,
        }
        try:
            context["edits"] = desk.edits_refused()
        except PendingUnknown:
            context["away"] = AWAY
        return self._answer(request, "admin/edits/refused.html", context)

    def _settle(self, request: HttpRequest) -> None:
        ids, why = request.POST.getlist("edits"), request.POST.get("reason", "")
        discards = request.POST.get("verb") == "discard"
        act = staff.letters_discard if discards else staff.letters_redrive
        try:
            done = act(ids=ids, why=why)
        except PendingUnknown:
            messages.error(request, AWAY)
        except HoldfastError as error:
            for text in [one.detail for one in error.errors] or [error.detail]:
                messages.error(request, text)
        else:
            what = "thrown away" if discards else "to be tried again"
            messages.success(request, f"{_edits(done)} {what}.")

    def _answer(self, request: HttpRequest, template: str, context: dict) -> HttpResponse:
        request.current_app = self.site.name
        return TemplateResponse(request, template, self.site.each_context(request) | context)


def loss_in_words() -> str:
    """What a crash of the durable Redis costs at most."""
    seconds = write_behind.loss_seconds()
    if seconds is None:
        return "unknown"
    if seconds == float("inf"):
        return "everything: it keeps no file"
    return f"the last {seconds:g} s" if seconds else "nothing"


def _edits(number: int) -> str:
    return "1 edit is" if number == 1 else f"{number:,} edits are"


def _may(request: HttpRequest) -> bool:
    return request.user.has_perm(MAY)


def _need(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied
