"""The saga inspector: runs with their steps and log, to be looked at."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from unfold.decorators import display

from apps.common.admin import ReadOnlyAdmin
from apps.common.lists import FoundThroughParent
from apps.sagas import definition
from apps.sagas.models import SagaLogEntry, SagaRun, SagaStep

COLOURS = {
    "pending": "info",
    "in_progress": "info",
    "completed": "success",
    "compensating": "warning",
    "compensated": "warning",
    "failed": "danger",
    "unknown": "danger",
    "skipped": "info",
}


class KindFilter(admin.SimpleListFilter):
    """One of the sagas that the shop knows."""

    title = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        kinds = sorted({saga.kind for saga in definition.registered()})
        return [(kind, kind.capitalize()) for kind in kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class FoundByRun(FoundThroughParent):
    """Steps and log entries of one order or run."""

    search_parent, search_parent_fields = "run", ("id", "business_key")


@admin.register(SagaRun)
class SagaRunAdmin(ReadOnlyAdmin):
    list_display = ["business_key", "kind", "shown_status", "step", "error_code", "created_at"]
    list_filter = ["status", KindFilter, "created_at"]
    search_fields = ["business_key__exact", "id__exact", "correlation_id__exact"]
    search_help_text = "An order's, a run's or a request's id."
    ordering = ["-id"]  # made in the order of time
    fieldsets = [
        (None, {"fields": ["kind", "business_key", "status", "step", "steps_table", "log_table"]}),
        ("Trouble", {"fields": ["error_code", "error_detail", "parked_steps", "abort_requested"]}),
        (
            "Schedule",
            {
                "fields": [
                    *("attempt", "claims", "next_run_at", "deadline_at", "lease_token"),
                    *("lease_until", "created_at", "finished_at"),
                ]
            },
        ),
        ("Identity", {"fields": ["id", "kind_version", "correlation_id", "data", "version"]}),
    ]

    def get_readonly_fields(self, request, obj=None):
        return [name for _, options in self.fieldsets for name in options["fields"]]

    @display(description="Status", label=COLOURS, ordering="status")
    def shown_status(self, run: SagaRun) -> str:
        return run.status

    @display(description="Steps")
    def steps_table(self, run: SagaRun) -> str:
        rows = (
            (
                step.name,
                step.get_direction_display(),
                step.status,
                step.attempts,
                step.error_code,
                _clock(step.started_at),
                _took(step.started_at, step.finished_at),
            )
            for step in run.steps.order_by("started_at", "id")
        )
        head = ("Step", "Direction", "Status", "Attempts", "Error", "Began", "Took")
        return _table(head, rows)

    @display(description="Log")
    def log_table(self, run: SagaRun) -> str:
        entries = SagaLogEntry.objects.filter(run=run).order_by("id")[:200]
        rows = (
            (_clock(entry.at), entry.event, entry.position, entry.attempt, entry.code, entry.detail)
            for entry in entries
        )
        return _table(("At", "Event", "Position", "Attempt", "Code", "Detail"), rows)


@admin.register(SagaStep)
class SagaStepAdmin(FoundByRun, ReadOnlyAdmin):
    list_display = ["run", "name", "direction", "shown_status", "attempts", "started_at"]
    list_filter = ["status", "direction"]
    list_select_related = ["run"]
    search_fields = ["error_code__exact"]
    search_help_text = "An order's or a run's id, or an error code."
    ordering = ["-id"]

    @display(description="Status", label=COLOURS, ordering="status")
    def shown_status(self, step: SagaStep) -> str:
        return step.status


@admin.register(SagaLogEntry)
class SagaLogEntryAdmin(FoundByRun, ReadOnlyAdmin):
    list_display = ["at", "run", "event", "code", "attempt"]
    list_filter = ["event", "at"]
    list_select_related = ["run"]
    search_fields = ["code__exact"]
    search_help_text = "An order's or a run's id, or a code."
    ordering = ["-id"]


def _clock(moment) -> str:
    return f"{moment:%d %b %H:%M:%S}.{moment.microsecond // 1000:03}"


def _took(began, ended) -> str:
    return f"{(ended - began).total_seconds() * 1000:,.0f} ms" if ended else "–"


def _table(head, rows) -> str:
    """An HTML table; every cell is escaped."""
    cell = '<td class="px-3 py-1 align-top border-b border-base-200 dark:border-base-800">{}</td>'
    body = format_html_join(
        "", "<tr>{}</tr>", ((format_html_join("", cell, ((one,) for one in row)),) for row in rows)
    )
    top = format_html_join(
        "", '<th class="px-3 py-1 text-left font-semibold">{}</th>', ((one,) for one in head)
    )
    return format_html(
        '<div class="overflow-x-auto"><table class="w-full"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>",
        top,
        body,
    )
