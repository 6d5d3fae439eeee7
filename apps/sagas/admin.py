"""Registers the pages about runs; they live in ``backoffice``."""

from django.contrib import admin
from unfold.decorators import display

from apps.common.admin import ReadOnlyAdmin
from apps.common.lists import FoundThroughParent
from apps.sagas.backoffice.page import COLOURS, RunPage
from apps.sagas.models import SagaLogEntry, SagaRun, SagaStep

admin.site.register(SagaRun, RunPage)


class FoundByRun(FoundThroughParent):
    """Steps and log entries of one order or run."""

    search_parent, search_parent_fields = "run", ("id", "business_key")


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
