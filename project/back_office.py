"""The back office's site: its login is limited and listed like the API's, its search is fresh."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.sites import UnfoldAdminSite

from apps.customers.staff_login import StaffLogin
from project.desk import dashboard, search
from project.desk.caches import Caches
from project.desk.edits import Edits
from project.desk.trash import Trash
from project.desk.views import SavedViews

MOST_RESULTS = 100


class BackOffice(UnfoldAdminSite):
    site_title = site_header = "Holdfast"
    index_title = "Back office"

    def login(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """Password and second factor; see ``StaffLogin``."""
        return StaffLogin(self).password(request, extra_context)

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, with the second factor they owe."""
        return super().has_permission(request) and not request.user.owes_second_factor

    def extra_urls(self) -> list:
        """Pages over all of the shop."""
        rooms = (StaffLogin, Trash, SavedViews, Edits, Caches)
        return [one for room in rooms for one in room(self).urls()]

    def index(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """The dashboard: as much of it as the person may see."""
        return super().index(request, {"tiles": dashboard.tiles(request)} | (extra_context or {}))

    def search(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """What the term ``s`` names in the shop, then pages whose name holds it.

        The library's version keeps its results in the cache as Python objects; ours holds JSON,
        and what somebody may see can change at any time.
        """
        term = request.GET.get("s", "").strip()
        if not term:
            return HttpResponse()
        pages = self._search_apps(self.get_app_list(request), term.lower())
        results = [*search.find(self, request, term), *pages][:MOST_RESULTS]
        pages = Paginator(results, MOST_RESULTS)
        context: dict[str, Any] = {
            "page_obj": pages,
            "results": pages.page(1),
            "page_counter": 0,
            "execution_time": 0,
            "command_show_history": False,
        }
        return TemplateResponse(
            request,
            "unfold/helpers/search_results.html",
            context,
            headers={"HX-Trigger": "search"},
        )
