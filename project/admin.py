"""Pages of what the libraries bring: the beat schedule and the log of staff actions."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_beat.admin import PeriodicTaskAdmin as BeatPeriodicTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.common.admin import PageAdmin, ReadOnlyAdmin
from apps.messaging.noting import NotedAdmin
from project.databases import CUSTOMERS

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(model)


class TaskSelect(UnfoldAdminSelectWidget, TaskSelectWidget):
    """The registered tasks, in the back office's looks."""


class TaskForm(PeriodicTaskForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()


def noted(name: str, description: str) -> Callable:
    """The library's action ``name``, for those who may change tasks, with a note for each row."""

    @admin.action(description=description, permissions=["change"])
    def act(self: Any, request: HttpRequest, queryset: QuerySet) -> None:
        with transaction.atomic(using=CUSTOMERS):
            before = dict(queryset.values_list("pk", "enabled"))
            getattr(BeatPeriodicTaskAdmin, name)(self, request, queryset)
            for task in PeriodicTask.objects.filter(pk__in=before):
                if name == "run_tasks":
                    self.note(task, "run_now")
                elif task.enabled != before[task.pk]:
                    was, became = {"enabled": before[task.pk]}, {"enabled": task.enabled}
                    self.note(task, "change", before=was, after=became)

    act.__name__ = name
    return act


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(NotedAdmin, BeatPeriodicTaskAdmin, ModelAdmin):
    form = TaskForm
    list_display = ("name", "task", "enabled", "schedule", "last_run_at", "total_run_count")
    list_filter = ("enabled", "one_off")
    ordering = ("name",)
    date_hierarchy = None
    enable_tasks = noted("enable_tasks", "Enable selected tasks")
    disable_tasks = noted("disable_tasks", "Disable selected tasks")
    toggle_tasks = noted("toggle_tasks", "Toggle activity of selected tasks")
    run_tasks = noted("run_tasks", "Run selected tasks")


class ScheduleAdmin(NotedAdmin, PageAdmin):
    """A schedule counts for every task that follows it."""


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ScheduleAdmin):
    list_display = ("__str__", "every", "period")
    list_filter = ("period",)
    search_fields = ("every", "period")


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(ScheduleAdmin):
    list_display = ("__str__", "human_readable")
    list_filter = ("timezone",)
    search_fields = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")


@admin.register(SolarSchedule)
class SolarScheduleAdmin(ScheduleAdmin):
    list_display = ("event", "latitude", "longitude")
    list_filter = ("event",)
    search_fields = ("event",)


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(ScheduleAdmin):
    list_display = ("clocked_time",)
    list_filter = ("clocked_time",)
    search_fields = ("clocked_time",)


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Who did what in the back office."""

    list_display = ("action_time", "user", "action_flag", "content_type", "object_repr", "what")
    list_filter = ("action_flag", "action_time", ("content_type", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "user__email", "change_message")
    ordering = ("-id",)

    @admin.display(description="what")
    def what(self, entry: LogEntry) -> str:
        return entry.get_change_message()
