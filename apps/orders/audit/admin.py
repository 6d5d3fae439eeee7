"""Audits for staff: what was checked, when, and what was found."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from apps.common.admin import ReadOnlyAdmin
from apps.orders.audit.models import AuditRun


class CleanFilter(admin.SimpleListFilter):
    """Clean, violated, or not finished."""

    title = "result"
    parameter_name = "result"

    def lookups(self, request, model_admin) -> list[tuple[str, str]]:
        return [("clean", "Clean"), ("violations", "Violations"), ("unfinished", "Not finished")]

    def queryset(self, request, queryset):
        match self.value():
            case "clean":
                return queryset.filter(violations=0, error="")
            case "violations":
                return queryset.filter(violations__gt=0)
            case "unfinished":
                return queryset.exclude(error="")
        return queryset


@admin.register(AuditRun)
class AuditRunAdmin(ReadOnlyAdmin):
    list_display = ["started_at", "trigger", "result", "duration"]
    list_filter = [CleanFilter, "trigger", "started_at"]
    search_fields = ["checks__icontains", "error"]
    search_help_text = "An offending id, the name of a check, or words of an error."
    fields = ["started_at", "trigger", "result", "duration", "found", "error"]
    readonly_fields = fields

    @admin.display(description="result", ordering="violations")
    def result(self, run: AuditRun) -> str:
        if run.error:
            return "not finished"
        return f"{run.violations:,} violations" if run.violations else "clean"

    @admin.display(description="duration", ordering="seconds")
    def duration(self, run: AuditRun) -> str:
        return f"{run.seconds:.1f} s"

    @admin.display(description="checks")
    def found(self, run: AuditRun) -> SafeString:
        return format_html_join(
            "",
            "<div>{}: {} checked, {} violations {}</div>",
            (
                (
                    name,
                    f"{check['checked']:,}",
                    f"{check['violations']:,}",
                    ", ".join(check["ids"]),
                )
                for name, check in run.checks.items()
            ),
        )
