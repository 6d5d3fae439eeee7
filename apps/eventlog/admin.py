"""The log of events, to be searched; and how far the groups were compared with it."""

from typing import Any

import orjson
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from unfold.decorators import display

from apps.common.admin import ReadOnlyAdmin
from apps.eventlog import links
from apps.eventlog.models import GroupProgress, LoggedEvent, Sweep
from apps.messaging.contracts import all_contracts, find_contract

BY_COLUMN = {"order_id": "Order", "customer_id": "Customer"}


class TopicFilter(admin.SimpleListFilter):
    """One of the topics that are published."""

    title = parameter_name = "topic"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(topic, topic) for topic in sorted({one.topic for one in all_contracts()})]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(topic=self.value()) if self.value() else queryset


@admin.register(LoggedEvent)
class LoggedEventAdmin(ReadOnlyAdmin):
    list_display = ("logged_at", "topic", "aggregate", "aggregate_version", "cause")
    list_filter = (TopicFilter, "logged_at")
    search_fields = (
        *("order_id__exact", "customer_id__exact", "correlation_id__exact"),
        *("event_id__exact", "aggregate__exact", "topic__exact"),
    )
    search_help_text = "An order's, a customer's, a request's or an event's id, or a topic."
    ordering = ("-position",)
    change_form_outer_before_template = "admin/eventlog/event.html"
    fieldsets = [
        (
            "Behind it",
            {
                "fields": (
                    "position",
                    "event_id",
                    "schema_version",
                )
            },
        )
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for _, options in self.fieldsets for name in options["fields"]]

    @display(description="cause", ordering="correlation_id")
    def cause(self, event: LoggedEvent) -> str:
        return event.correlation_id or "–"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        event = self.get_object(request, object_id)
        if event is not None and self.has_view_permission(request, event):
            extra_context = (extra_context or {}) | _shown(request, event)
        return super().change_view(request, object_id, form_url, extra_context)


def _shown(request: HttpRequest, event: LoggedEvent) -> dict[str, Any]:
    contract = find_contract(event.topic, event.schema_version)
    return {
        "event": event,
        "version": f"v{event.schema_version}",
        "summary": contract.summary if contract else "",
        "payload": orjson.dumps(event.payload, option=orjson.OPT_INDENT_2).decode(),
        "about": [
            (title, value, links.link_of(column, value, request.user), _search(value))
            for column, title in BY_COLUMN.items()
            if (value := getattr(event, column))
        ],
        "cause_link": _search(event.correlation_id) if event.correlation_id else "",
    }


def _search(text: str) -> str:
    return f"{reverse('admin:eventlog_loggedevent_changelist')}?{urlencode({'q': text})}"


@admin.register(GroupProgress)
class GroupProgressAdmin(ReadOnlyAdmin):
    list_display = ("group", "since", "verified", "checked_at")
    ordering = ("group",)


@admin.register(Sweep)
class SweepAdmin(ReadOnlyAdmin):
    list_display = ("table", "database", "last", "swept_at")
    ordering = ("table", "database")
