"""The list of runs and the page of one: looked at freely, repaired through the facade."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from unfold.decorators import display

from apps.common.admin import Desk, ReadOnlyAdmin, tell
from apps.common.errors import HoldfastError
from apps.messaging.staff_admin import History
from apps.sagas import facade
from apps.sagas.backoffice import steps
from apps.sagas.backoffice.bulk import BulkRepair
from apps.sagas.backoffice.filters import AgeFilter, CodeFilter, KindFilter, StepFilter, words
from apps.sagas.backoffice.links import link_of
from apps.sagas.backoffice.repairs import BY_NAME, REPAIRS, Repair, RepairForm
from apps.sagas.enums import LIVE
from apps.sagas.models import SagaLogEntry, SagaRun

COLOURS = {
    "pending": "info",
    "in_progress": "info",
    "completed": "success",
    "compensating": "warning",
    "compensated": "warning",
    "failed": "danger",
    "unknown": "danger",
    "skipped": "info",
    "to come": "info",
}
PERMISSION = "sagas.repair_run"


class RunPage(Desk, BulkRepair, History, ReadOnlyAdmin):
    """Everything about runs; the only things to be done are the actions of ``repairs``."""

    list_display = [
        *("business_key", "kind", "shown_status", "shown_step", "attempt"),
        *("error_code", "created_at", "next_at"),
    ]
    list_filter = [
        *("status", KindFilter, StepFilter, "direction"),
        *(CodeFilter, AgeFilter, "created_at"),
    ]
    search_fields = ["business_key__exact", "id__exact", "correlation_id__exact"]
    search_help_text = "An order's, a run's or a request's id."
    ordering = ["-id"]  # made in the order of time
    change_form_outer_before_template = "admin/sagas/sagarun/desk.html"
    fieldsets = [
        (
            "Behind it",
            {
                "fields": [
                    *("id", "kind_version", "style", "correlation_id"),
                    *("version", "claims", "weight"),
                    *("lease_token", "lease_until", "next_run_at", "step_since"),
                    *("abort_requested", "abort_reason", "compensations_left"),
                ]
            },
        )
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: SagaRun | None = None) -> list[str]:
        return [name for _, options in self.fieldsets for name in options["fields"]]

    @display(description="Status", label=COLOURS, ordering="status")
    def shown_status(self, run: SagaRun) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description="Step", ordering="step")
    def shown_step(self, run: SagaRun) -> str:
        back = run.direction == "B"
        return f"Undo: {words(run.step).lower()}" if back else words(run.step)

    @display(description="Due", ordering="next_run_at")
    def next_at(self, run: SagaRun) -> str:
        return f"{run.next_run_at:%d %b %H:%M:%S}" if run.status in LIVE else "–"

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.repair_view)
        own = path("<uuid:run_id>/repair/<slug:action>/", view, name="sagas_sagarun_repair")
        return [own, *super().get_urls()]

    def has_repair_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def desk(self, request: HttpRequest, run: SagaRun) -> dict[str, Any]:
        """What the page shows beside the plain columns."""
        log = list(SagaLogEntry.objects.filter(run=run).order_by("id")[: steps.MOST_LINES])
        may = self.has_repair_permission(request)
        refusals = facade.possible_repairs(run.pk) if may else {}
        return {
            "run": run,
            "shown": {
                "kind": words(run.kind),
                "status": (COLOURS[run.status], run.get_status_display()),
                "step": self.shown_step(run),
                "live": run.status in LIVE,
                "held": run.lease_until is not None and run.lease_until > timezone.now(),
                "took": steps.took(run.created_at, run.finished_at),
                "data": steps.pretty(run.data),
            },
            "subject_link": link_of(run, request.user),
            "repairs": [
                (repair, reverse("admin:sagas_sagarun_repair", args=[run.pk, repair.name]))
                for repair in REPAIRS
                if may and refusals.get(repair.name) == ""
            ],
            "story": [(step, COLOURS[step.status]) for step in steps.story(run, log)],
            "log": log,
        }

    def repair_view(self, request: HttpRequest, run_id: UUID, action: str) -> HttpResponse:
        """Asks why, and does it when the answer is posted."""
        if not self.has_repair_permission(request):
            raise PermissionDenied
        run = self.get_object(request, str(run_id))
        if action not in BY_NAME or run is None:
            raise Http404
        repair = BY_NAME[action]
        form = RepairForm(request.POST or None, initial={"version": run.version})
        if request.method == "POST" and form.is_valid():
            return self._repaired(request, run, repair, **form.cleaned_data)
        context = self.admin_site.each_context(request) | {
            "title": f"{repair.title}?",
            "opts": self.opts,
            "repair": repair,
            "run": run,
            "shown_step": self.shown_step(run),
            "refusal": facade.possible_repairs(run.pk)[action],
            "form": form,
            "back": _page(run),
        }
        return TemplateResponse(request, "admin/sagas/sagarun/repair.html", context)

    def _repaired(
        self, request: HttpRequest, run: SagaRun, repair: Repair, *, version: int, reason: str
    ) -> HttpResponse:
        try:
            repair.act(run.pk, version, reason)
        except HoldfastError as error:
            if error.code == "version_conflict":
                text = "It moved on meanwhile: look at the run as it is now. Nothing was done."
                self.message_user(request, text, messages.ERROR)
            else:
                tell(self, request, error)
        else:
            self.log_change(request, run, f"{repair.title}: {reason}")
            self.message_user(request, f"{run} {repair.done}.", messages.SUCCESS)
        return HttpResponseRedirect(_page(run))


def _page(run: SagaRun) -> str:
    return reverse("admin:sagas_sagarun_change", args=[run.pk])
