"""The list of dead letters and the page of one; what can be done is to redrive them."""

from typing import Any

import orjson
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.decorators import action, display

from apps.common.admin import Desk
from apps.messaging import letters
from apps.messaging.every_database import DatabaseFilter, EveryDatabaseAdmin, chosen_database, name
from apps.messaging.groups import all_groups
from apps.messaging.models import DeadLetter, DeliveryAttempt
from apps.messaging.relay.queue import CONSUMER as RELAY

PERMISSION = "messaging.redrive_deadletter"
MOST_AT_ONCE = 1_000
MOST_SHOWN = 20_000  # characters of a body
WAITING = "Waiting for somebody"


class RedriveForm(forms.Form):
    """Why; noted with the person's name."""

    reason = forms.CharField(
        max_length=letters.MOST_REASON,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 3, "class": "desk-input"}),
        help_text=f"At most {letters.MOST_REASON} characters. It stays in the log of staff.",
    )


class ConsumerFilter(admin.SimpleListFilter):
    title = parameter_name = "consumer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(one, one) for one in (*(group.name for group in all_groups()), RELAY)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(consumer=self.value()) if self.value() else queryset


@admin.register(DeadLetter)
class DeadLetterAdmin(Desk, EveryDatabaseAdmin):
    """Redriving asks why, and tells what would happen first."""

    list_display = ("shown_topic", "consumer", "shown_reason", "deaths", "last_at", "state")
    list_filter = (
        *(DatabaseFilter, ConsumerFilter, "reason"),
        *(("redriven_at", admin.EmptyFieldListFilter), "created_at"),
    )
    search_fields = ("topic__startswith", "event_id__exact", "error__contains")
    search_help_text = "A topic, an event's id, or words of the error."
    ordering = ("-id",)
    actions = ["redrive_selected"]
    change_form_outer_before_template = "admin/messaging/deadletter/desk.html"
    fields = readonly_fields = ("event_id", "shown_topic", "consumer", "shown_headers")

    @display(description="topic", ordering="topic")
    def shown_topic(self, letter: DeadLetter) -> str:
        return letter.topic or "unknown"

    @display(description="reason", label={"other": "danger"}, ordering="reason")
    def shown_reason(self, letter: DeadLetter) -> tuple[str, str]:
        return "other", letter.get_reason_display()

    @display(description="state", label={WAITING: "warning", "Applied": "success"})
    def state(self, letter: DeadLetter) -> str:
        return WAITING if letter.redriven_at is None else "Applied"

    @display(description="headers")
    def shown_headers(self, letter: DeadLetter) -> str:
        return ", ".join(f"{key}: {value}" for key, value in letter.headers.items()) or "–"

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.redrive_view)
        own = path("<int:pk>/redrive/", view, name="messaging_deadletter_redrive")
        return [own, *super().get_urls()]

    def has_redrive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def desk(self, request: HttpRequest, letter: DeadLetter) -> dict[str, Any]:
        waiting = letter.redriven_at is None
        address = reverse("admin:messaging_deadletter_redrive", args=[letter.pk])
        return {
            "letter": letter,
            "body": readable(bytes(letter.body)),
            "size": len(letter.body),
            "database": name(letter._state.db),
            "redrive_link": f"{address}?database={letter._state.db}"
            if waiting and self.has_redrive_permission(request)
            else "",
        }

    def redrive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks why, and does it when the answer is posted."""
        if not self.has_redrive_permission(request):
            raise PermissionDenied
        alias = chosen_database(request)
        letter = DeadLetter.objects.using(alias).filter(pk=pk).first()
        if letter is None:
            raise Http404
        back = f"{reverse('admin:messaging_deadletter_change', args=[pk])}?database={alias}"
        form = RedriveForm(request.POST or None)
        dry = letters.letters_dry_run(DeadLetter.objects.using(alias).filter(pk=pk))
        if request.method == "POST" and form.is_valid() and dry.ready:
            self._redrive(request, alias, dry.ready, form.cleaned_data["reason"])
            return HttpResponseRedirect(back)
        return self._ask(request, dry, form, back, {"letter": letter})

    @action(description="Redrive …", permissions=["redrive"])
    def redrive_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        alias = chosen_database(request)
        rows = DeadLetter.objects.using(alias).filter(
            pk__in=list(queryset.order_by("id").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        )
        dry = letters.letters_dry_run(rows.order_by("id")[:MOST_AT_ONCE])
        confirmed = "confirmed" in request.POST
        form = RedriveForm(request.POST if confirmed else None)
        if confirmed and form.is_valid():
            self._redrive(request, alias, dry.ready, form.cleaned_data["reason"])
            return None
        context = {
            "more": len(rows) > MOST_AT_ONCE,
            "most": MOST_AT_ONCE,
            "action": request.POST.get("action", ""),
            "across": request.POST.get("select_across", "0"),
            "checkbox": ACTION_CHECKBOX_NAME,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        }
        return self._ask(request, dry, form, request.get_full_path(), context)

    def _ask(
        self, request: HttpRequest, dry: letters.DryRun, form: forms.Form, back: str, more: dict
    ) -> HttpResponse:
        many = "dead letter" if len(dry.ready) == 1 else "dead letters"
        context = self.admin_site.each_context(request) | {
            "title": f"Redrive {len(dry.ready):,} {many}?",
            "opts": self.opts,
            "dry": dry,
            "form": form,
            "back": back,
        }
        return TemplateResponse(request, "admin/messaging/deadletter/redrive.html", context | more)

    def _redrive(self, request: HttpRequest, alias: str, ids: list[int], reason: str) -> None:
        for text, good in letters.told(letters.letters_redrive(alias, ids, why=reason)):
            self.message_user(request, f"{text}.", messages.SUCCESS if good else messages.WARNING)


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(EveryDatabaseAdmin):
    list_display = ("event_id", "consumer", "attempts", "next_attempt_at", "last_error")
    list_filter = (DatabaseFilter,)
    search_fields = ("consumer", "event_id__exact")
    ordering = ("-id",)


def readable(body: bytes) -> str:
    """A body for people: JSON in lines, anything else as far as it is text."""
    try:
        text = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except (orjson.JSONDecodeError, RecursionError):
        text = body[: MOST_SHOWN + 1].decode(errors="backslashreplace")
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
