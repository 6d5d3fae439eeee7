"""Tables that stand in every database: a page shows one database at a time, to read only."""

from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from unfold.views import ChangeList

from apps.common.admin import ReadOnlyAdmin

PARAMETER = "database"
FIRST_SHOWN = "orders"


def chosen_database(request: HttpRequest) -> str:
    """The alias in ``?database=…``, or in the filters a detail page was reached with."""
    kept = parse_qs(request.GET.get("_changelist_filters", ""))
    for alias in (request.GET.get(PARAMETER), *kept.get(PARAMETER, ())):
        if alias in settings.DATABASES:
            return alias
    return FIRST_SHOWN


def name(alias: str) -> str:
    """What people call the database."""
    return "customers" if alias == "default" else alias


class DatabaseFilter(admin.SimpleListFilter):
    """Picks the database; it has no "all", for a query goes to one."""

    title = "database"
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(alias, name(alias)) for alias in settings.DATABASES]

    def choices(self, changelist: ChangeList):
        current = self.value() if self.value() in settings.DATABASES else FIRST_SHOWN
        for alias, title in self.lookup_choices:
            yield {
                "selected": alias == current,
                "query_string": changelist.get_query_string({PARAMETER: alias}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset  # the page's own queryset is on the chosen database already


class OneDatabaseList(ChangeList):
    """Rows that lead to their page in the same database."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any):
        self.database = chosen_database(request)
        super().__init__(request, *args, **kwargs)

    def url_for_result(self, result: Model) -> str:
        return f"{super().url_for_result(result)}?{urlencode({PARAMETER: self.database})}"


class EveryDatabaseAdmin(ReadOnlyAdmin):
    """Reads ``model`` in the database that the person picks."""

    list_before_template = "admin/messaging/databases.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = self.model.objects.using(chosen_database(request))
        return rows.order_by(*self.get_ordering(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OneDatabaseList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        chosen = chosen_database(request)
        databases = [
            {"name": name(alias), "link": f"?{PARAMETER}={alias}", "chosen": alias == chosen}
            for alias in settings.DATABASES
        ]
        return super().changelist_view(request, (extra_context or {}) | {"databases": databases})

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict | None = None
    ) -> HttpResponse:
        """Nobody edits these rows, and one key stands for a row in each database: no history."""
        return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict | None = None
    ) -> HttpResponse:
        return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
