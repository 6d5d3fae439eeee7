"""Retrying and parking many runs: what would happen is counted first, then one by one it does."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.decorators import action

from apps.common.errors import HoldfastError
from apps.sagas import facade
from apps.sagas.backoffice.repairs import BY_NAME, ReasonForm, Repair

MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class DryRun:
    """What an action would meet: ``ready`` are the runs it would be done to, ``refused`` counts
    the others by reason; ``more``: there are runs beyond ``MOST_AT_ONCE``."""

    ready: list[UUID]
    refused: list[tuple[str, int]]
    more: bool


class BulkRepair:
    """Mix into the list of runs."""

    actions = ["retry_selected", "park_selected"]

    @action(description="Retry …", permissions=["repair"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._bulk(request, queryset, BY_NAME["retry"])

    @action(description="Park …", permissions=["repair"])
    def park_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._bulk(request, queryset, BY_NAME["park"])

    def _bulk(
        self, request: HttpRequest, queryset: QuerySet, repair: Repair
    ) -> HttpResponse | None:
        dry = _dry_run(repair, queryset)
        confirmed = "confirmed" in request.POST
        form = ReasonForm(request.POST if confirmed else None)
        if confirmed and form.is_valid():
            self._repair_all(request, repair, dry, form.cleaned_data["reason"])
            return None
        context = self.admin_site.each_context(request) | {
            "title": f"{repair.title}: {_runs(len(dry.ready))}?",
            "opts": self.opts,
            "repair": repair,
            "dry": dry,
            "most": MOST_AT_ONCE,
            "form": form,
            "action": request.POST.get("action", ""),
            "across": request.POST.get("select_across", "0"),
            "checkbox": ACTION_CHECKBOX_NAME,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/sagas/sagarun/bulk.html", context)

    def _repair_all(self, request: HttpRequest, repair: Repair, dry: DryRun, reason: str) -> None:
        refused: Counter[str] = Counter(dict(dry.refused))
        done = 0
        for run_id in dry.ready:
            try:
                repair.act(run_id, None, reason)
                done += 1
            except HoldfastError as error:  # it moved on since it was looked at
                refused[error.detail] += 1
        if done:
            text = f"{_runs(done)}: {repair.title.lower()} done."
            self.message_user(request, text, messages.SUCCESS)
        for why, number in refused.most_common():
            self.message_user(request, f"{number:,} left alone: {why}.", messages.WARNING)


def _dry_run(repair: Repair, queryset: QuerySet) -> DryRun:
    ids = list(queryset.order_by("id").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    prospects = facade.repair_prospects(repair.name, ids[:MOST_AT_ONCE])
    refused = Counter(one.refusal for one in prospects if one.refusal)
    ready = [one.run_id for one in prospects if not one.refusal]
    return DryRun(ready, refused.most_common(), len(ids) > MOST_AT_ONCE)


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number:,} runs"
