"""Saved views: a filtered list under a name of one's own, in the sidebar."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import Resolver404, path, resolve, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from apps.common.errors import HoldfastError, InvalidInput
from apps.customers import saved_views

PAGE = "p"  # where in the list one was is no part of the view


class SavedViews:
    """The views below ``/admin/saved-views/`` of one site."""

    def __init__(self, site: AdminSite):
        self.site = site

    def urls(self) -> list:
        view = self.site.admin_view
        return [
            path("saved-views/save/", view(self.save), name="saved_view_save"),
            path("saved-views/remove/", view(self.remove), name="saved_view_remove"),
        ]

    @method_decorator(require_POST)
    def save(self, request: HttpRequest) -> HttpResponse:
        """Keeps the list the form was on."""
        name, where = request.POST.get("name", ""), request.POST.get("path", "")
        query = QueryDict(request.POST.get("query", "")[:10_000], mutable=True)
        query.pop(PAGE, None)
        if not _is_list(where):
            where = reverse("admin:index")
        try:
            if where == reverse("admin:index"):
                raise InvalidInput("Only lists can be kept.")
            saved_views.view_save(
                user_id=request.user.pk, name=name, path=where, query=query.urlencode()
            )
        except HoldfastError as error:
            for text in [one.detail for one in error.errors] or [error.detail]:
                messages.error(request, text)
        else:
            messages.success(request, f"“{name.strip()}” is in your menu.")
        return HttpResponseRedirect(f"{where}?{query.urlencode()}")

    @method_decorator(require_POST)
    def remove(self, request: HttpRequest) -> HttpResponse:
        """Takes a view out of the menu."""
        name = request.POST.get("name", "")
        saved_views.view_remove(user_id=request.user.pk, name=name)
        messages.success(request, f"“{name}” is no longer in your menu.")
        return HttpResponseRedirect(reverse("admin:index"))


def menu(request: HttpRequest, lists: set[str]) -> list[dict[str, Any]]:
    """The person's views of those ``lists`` (paths) that they may still see."""
    views = [one for one in request.user.saved_views if one["path"] in lists]
    if not views:
        return []
    items = [
        {"title": one["name"], "icon": "filter_alt", "link": f"{one['path']}?{one['query']}"}
        for one in views
    ]
    return [{"title": "Saved views", "separator": True, "items": items}]


def _is_list(where: str) -> bool:
    try:
        found = resolve(where)
    except Resolver404:
        return False
    return found.namespace == "admin" and (found.url_name or "").endswith("_changelist")
