"""The trash: everything that is soft-deleted, of every kind, on one page.

Who may see a kind's page sees what of it is deleted; who may restore there, restores here.
"""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from django.apps import apps
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from apps.catalog.trash import BINS as CATALOG
from apps.common.errors import HoldfastError
from apps.common.trash import Bin, Plan, Trashed
from apps.customers.trash import BINS as CUSTOMERS

BINS = {one.kind: one for one in (*CATALOG, *CUSTOMERS)}
PER_PAGE, MOST_PAGES = 50, 20


class Trash:
    """The views below ``/admin/trash/`` of one site."""

    def __init__(self, site: AdminSite):
        self.site = site

    def urls(self) -> list:
        view = self.site.admin_view
        return [
            path("trash/", view(self.listing), name="trash"),
            path("trash/<slug:kind>/<int:pk>/", view(self.one), name="trash_one"),
            path("trash/<slug:kind>/<int:pk>/purge/", view(self.purge), name="trash_purge"),
        ]

    def page_of(self, one: Bin) -> Any:
        return self.site.get_model_admin(apps.get_model(one.model))

    def seen(self, request: HttpRequest) -> Iterator[Bin]:
        """The kinds that the person may see."""
        for one in BINS.values():
            if self.page_of(one).has_view_or_change_permission(request):
                yield one

    def listing(self, request: HttpRequest) -> HttpResponse:
        """What was deleted, the latest first."""
        seen = {one.kind: one for one in self.seen(request)}
        if not seen:
            raise PermissionDenied
        kind, term = request.GET.get("kind", ""), request.GET.get("q", "").strip()[:100]
        number = _page_number(request)
        shown = [seen[kind]] if kind in seen else list(seen.values())
        count, things = 0, []
        for one in shown:
            total, newest = one.newest(term.replace("\x00", ""), number * PER_PAGE)
            count, things = count + total, things + newest
        things.sort(key=attrgetter("deleted_at", "pk"), reverse=True)
        context = {
            "title": "Trash",
            "kinds": [(one.kind, one.title, one.kind == kind) for one in seen.values()],
            "kind": kind if kind in seen else "",
            "q": term,
            "count": count,
            "things": [
                (one, BINS[one.kind].title, _link(one))
                for one in things[(number - 1) * PER_PAGE : number * PER_PAGE]
            ],
            "earlier": number - 1 if number > 1 else 0,
            "later": number + 1 if number * PER_PAGE < count and number < MOST_PAGES else 0,
        }
        return self._answer(request, "admin/trash/list.html", context)

    def one(self, request: HttpRequest, kind: str, pk: int) -> HttpResponse:
        """What its restoration means, and with POST the restoration."""
        found, plan = self._plan(request, kind, pk)
        if request.method == "POST":
            return self._restore(request, found, plan)
        context = {
            "title": plan.thing.name,
            "bin": found,
            "plan": plan,
            "clashes": [(clash, self._holder(clash)) for clash in plan.clashes],
            "clashing": {clash.thing for clash in plan.clashes},
            "may_restore": self._may_restore(request, found, plan),
            "may_purge": self._may_purge(request, found),
            "page": self._change(found.kind, pk),
        }
        return self._answer(request, "admin/trash/one.html", context)

    def _restore(self, request: HttpRequest, found: Bin, plan: Plan) -> HttpResponse:
        if not self._may_restore(request, found, plan):
            raise PermissionDenied
        chosen = set(request.POST.getlist("below"))
        below = [one.pk for one in plan.below if str(one.pk) in chosen]
        try:
            found.restore(plan.thing.pk, below)
        except HoldfastError as error:
            messages.error(request, f"Nothing was restored: {error.detail}")
            return HttpResponseRedirect(request.path)
        page = self.page_of(found)
        row = page.get_object(request, str(plan.thing.pk))
        page.log_change(request, row, "Restored.")
        more = len(plan.above) + len(below)
        text = f"{plan.thing.name} was restored" + (f", with {more} more." if more else ".")
        messages.success(request, text)
        return HttpResponseRedirect(self._change(found.kind, plan.thing.pk))

    def purge(self, request: HttpRequest, kind: str, pk: int) -> HttpResponse:
        """Asks, and with POST removes the thing for good."""
        found, plan = self._plan(request, kind, pk)
        if not self._may_purge(request, found):
            raise PermissionDenied
        if request.method != "POST":
            context = {"title": f"Remove {plan.thing.name}?", "plan": plan, "bin": found}
            return self._answer(request, "admin/trash/purge.html", context)
        try:
            found.purge(pk)
        except HoldfastError as error:
            messages.error(request, f"It was not removed: {error.detail}")
            return HttpResponseRedirect(_link(plan.thing))
        messages.success(request, f"{plan.thing.name} is gone for good.")
        return HttpResponseRedirect(reverse("admin:trash"))

    def _plan(self, request: HttpRequest, kind: str, pk: int) -> tuple[Bin, Plan]:
        found = BINS.get(kind)
        if found is None:
            raise Http404
        if not self.page_of(found).has_view_or_change_permission(request):
            raise PermissionDenied
        plan = found.plan(pk) if pk < 2**63 else None
        if plan is None:
            raise Http404
        return found, plan

    def _may_restore(self, request: HttpRequest, found: Bin, plan: Plan) -> bool:
        """Whether each kind that comes back is one that the person may restore."""
        for thing in (plan.thing, *plan.above, *plan.below[:1]):
            page = self.page_of(BINS[thing.kind])
            row = page.get_object(request, str(thing.pk))
            if row is None or not page.may_restore(request, row):
                return False
        return True

    def _may_purge(self, request: HttpRequest, found: Bin) -> bool:
        return found.purge is not None and request.user.has_perm(found.purge_permission)

    def _holder(self, clash: Any) -> str:
        return self._change(clash.thing.kind, clash.holder_pk)

    def _change(self, kind: str, pk: int) -> str:
        opts = self.page_of(BINS[kind]).opts
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[pk])

    def _answer(self, request: HttpRequest, template: str, context: dict) -> HttpResponse:
        request.current_app = self.site.name
        return TemplateResponse(request, template, self.site.each_context(request) | context)


def _link(thing: Trashed) -> str:
    return reverse("admin:trash_one", args=[thing.kind, thing.pk])


def _page_number(request: HttpRequest) -> int:
    given = request.GET.get("page", "")
    return min(max(int(given), 1), MOST_PAGES) if given.isascii() and given.isdigit() else 1
