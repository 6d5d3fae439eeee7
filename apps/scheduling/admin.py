"""The beat board: every job with its last run and its next, and what its runs did."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.timezone import localtime
from unfold.dataclasses import ActionDialog
from unfold.decorators import action, display
from unfold.views import ChangeList

from apps.common.admin import ReadOnlyAdmin, back, tell
from apps.common.errors import HoldfastError
from apps.messaging.staff_admin import History
from apps.scheduling import facade
from apps.scheduling.contracts import JobView
from apps.scheduling.definition import registered
from apps.scheduling.models import JobAlert, JobRun, ScheduledJob

COLOURS = {
    "running": "info",
    "succeeded": "success",
    "failed": "danger",
    "refused": "warning",
    "lost": "danger",
}
SHOWN_RUNS = 20
RUN_NOW = ActionDialog(
    title="Run this job now?",
    description="A worker takes it up at once. If it is running already, nothing happens.",
    form_class=None,
    form_submit_text="Run now",
)


def counted(counts: dict[str, int]) -> str:
    """``3 holds, 7 pieces``."""
    return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in counts.items())


def moment(at: datetime | None) -> str:
    return f"{localtime(at):%d %b %Y, %H:%M:%S}" if at else "–"


def lasted(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f} s"


class Board(ChangeList):
    """The list's rows, each with what is known of its job now."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        views = {view.name: view for view in facade.board()}
        self.result_list = list(self.result_list)
        for row in self.result_list:
            row.view = views[row.pk]


@admin.register(ScheduledJob)
class ScheduledJobAdmin(History, ReadOnlyAdmin):
    list_display = ("job", "shown_state", "schedule", "last_run", "outcome", "duration", "next_run")
    list_filter = ("since",)
    search_fields = ("name",)
    ordering = ("name",)
    actions_row = ("run_from_list",)
    actions_detail = ("run_now",)
    fieldsets = (
        (None, {"fields": ("about", "shown_state", "schedule", "coming_run", "last_success")}),
        ("Last runs", {"fields": ("last_runs",)}),
    )
    readonly_fields = (
        "about",
        "shown_state",
        "schedule",
        "coming_run",
        "last_success",
        "last_runs",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(pk__in=registered())

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Board

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None):
        row = super().get_object(request, object_id, from_field)
        # Looking raises alerts that are due; somebody who may not look raises nothing.
        if row is not None and self.has_view_permission(request):
            row.view = next(view for view in facade.board() if view.name == row.pk)
        return row

    # --- what is shown ---
    @display(description="job", ordering="name")
    def job(self, row: ScheduledJob) -> str:
        return row.view.title

    @display(description="about")
    def about(self, row: ScheduledJob) -> str:
        return f"{row.view.title}. {row.view.about}"

    @display(
        description="state",
        label={"On time": "success", "Missed": "danger", "Failing": "danger", "Paused": "warning"},
    )
    def shown_state(self, row: ScheduledJob) -> str:
        if row.view.missed:
            return "Missed"
        if not row.view.enabled:
            return "Paused"
        return "Failing" if row.view.last_outcome in ("failed", "lost") else "On time"

    @display(description="schedule")
    def schedule(self, row: ScheduledJob) -> str:
        return row.view.schedule

    @display(description="last run")
    def last_run(self, row: ScheduledJob):
        return row.view.last_started_at

    @display(description="outcome", label=COLOURS)
    def outcome(self, row: ScheduledJob) -> tuple[str, str] | None:
        view: JobView = row.view
        if view.last_outcome is None:
            return None
        numbers = f": {counted(view.last_counts)}" if any(view.last_counts.values()) else ""
        return view.last_outcome, f"{view.last_outcome.capitalize()}{numbers}"

    @display(description="duration")
    def duration(self, row: ScheduledJob) -> str:
        return lasted(row.view.last_seconds)

    @display(description="next run")
    def next_run(self, row: ScheduledJob):
        return row.view.next_run_at

    @display(description="last success")
    def last_success(self, row: ScheduledJob) -> str:
        return moment(row.view.last_success_at)

    @display(description="next run")
    def coming_run(self, row: ScheduledJob) -> str:
        return moment(row.view.next_run_at)

    @display(description="runs")
    def last_runs(self, row: ScheduledJob) -> str:
        runs = [
            {
                "started": moment(run.started_at),
                "outcome": run.get_outcome_display(),
                "duration": duration_of(run),
                "by": run.asked_by or run.get_trigger_display(),
                "what": run.error or counted(run.counts),
            }
            for run in row.runs.all()[:SHOWN_RUNS]
        ]
        return render_to_string("admin/scheduling/runs.html", {"runs": runs})

    # --- run now ---
    def has_run_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("scheduling.run_job")

    @action(description="Run now", icon="play_arrow", permissions=["run"], dialog=RUN_NOW)
    def run_now(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._send(request, object_id)

    @action(
        description="Run now",
        icon="play_arrow",
        permissions=["run"],
        url_path="run-from-list",
        dialog=RUN_NOW,
    )
    def run_from_list(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._send(request, object_id)

    def _send(self, request: HttpRequest, name: str) -> HttpResponse:
        try:
            facade.run_now(name)
        except HoldfastError as error:
            tell(self, request, error)
        else:
            self.message_user(request, f"{name} was sent to a worker.", messages.SUCCESS)
        return back(self, request, name)


def duration_of(run: JobRun) -> str:
    return lasted((run.ended_at - run.started_at).total_seconds() if run.ended_at else None)


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "job_id", "shown_outcome", "duration", "trigger", "what")
    list_filter = ("outcome", "trigger", "job", "started_at")
    search_fields = ("job__name", "asked_by", "error")
    ordering = ("-id",)
    fields = readonly_fields = (
        *("job", "shown_outcome", "started_at", "ended_at", "duration", "trigger", "asked_by"),
        *("what", "error"),
    )

    @display(description="outcome", label=COLOURS, ordering="outcome")
    def shown_outcome(self, run: JobRun) -> tuple[str, str]:
        return run.outcome, run.get_outcome_display()

    @display(description="duration")
    def duration(self, run: JobRun) -> str:
        return duration_of(run)

    @display(description="what it did")
    def what(self, run: JobRun) -> str:
        return run.error or counted(run.counts)


@admin.register(JobAlert)
class JobAlertAdmin(ReadOnlyAdmin):
    list_display = ("job_id", "state", "due_at", "raised_at", "cleared_at")
    list_filter = (("cleared_at", admin.EmptyFieldListFilter), "job", "raised_at")
    search_fields = ("job__name",)
    ordering = ("-id",)

    @display(description="state", label={"Open": "danger", "Cleared": "success"})
    def state(self, alert: JobAlert) -> str:
        return "Cleared" if alert.cleared_at else "Open"
