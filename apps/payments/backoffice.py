"""Where the gateway and our books differ: what the reconciler mended, and what waits for staff."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.dataclasses import ActionDialog
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.common.admin import ReadOnlyAdmin, back, tell
from apps.common.errors import HoldfastError
from apps.messaging.staff_admin import History
from apps.payments import facade
from apps.payments.enums import DiscrepancyState
from apps.payments.models import MoneyDiscrepancy, Payment, ReconcilerRun
from apps.payments.reconciling.discrepancies import MOST_REASON

COLOURS = {"open": "danger", "mended": "info", "resolved": "success"}


class ResolveForm(BaseDialogForm):
    reason = forms.CharField(
        max_length=MOST_REASON,
        strip=True,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="What it was and what you did about it. It stays with the discrepancy.",
    )


class StateFilter(admin.SimpleListFilter):
    """What waits for a person by default; everything on request."""

    title = parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        rest = [one for one in DiscrepancyState.choices if one[0] != DiscrepancyState.OPEN]
        return [*rest, ("all", "All")]

    def choices(self, changelist):
        """The usual choices, with the first one named for what it shows."""
        for index, choice in enumerate(super().choices(changelist)):
            label = DiscrepancyState.OPEN.label
            yield choice | {"display": label} if index == 0 else choice

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(state=self.value() or DiscrepancyState.OPEN)


@admin.register(MoneyDiscrepancy)
class MoneyDiscrepancyAdmin(History, ReadOnlyAdmin):
    list_display = ("what", "shown_state", "order_id", "there", "here", "found_at", "ended_by")
    list_filter = (StateFilter, "kind", "found_at")
    search_fields = ("reference__exact", "order_id__exact")
    search_help_text = "Reference at the gateway or order id"
    ordering = ("-id",)
    actions_detail = ("resolve",)
    fieldsets = (
        (None, {"fields": ("kind", "state", "detail", "found_at")}),
        ("About", {"fields": ("reference", "payment_page", "order_page")}),
        ("How it ended", {"fields": ("ended_at", "ended_by", "reason")}),
    )
    readonly_fields = ("payment_page", "order_page")

    @display(description="what", ordering="kind")
    def what(self, row: MoneyDiscrepancy) -> str:
        return row.get_kind_display()

    @display(description="state", label=COLOURS, ordering="state")
    def shown_state(self, row: MoneyDiscrepancy) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description="at the gateway")
    def there(self, row: MoneyDiscrepancy) -> str:
        return row.detail.partition(" at the gateway")[0]

    @display(description="by our ledger")
    def here(self, row: MoneyDiscrepancy) -> str:
        return row.detail.partition("; ")[2].partition(" by our ledger")[0].capitalize() or "–"

    @display(description="payment")
    def payment_page(self, row: MoneyDiscrepancy) -> str:
        if row.order_id is None:
            return "Unknown to us"
        payment = Payment.objects.filter(order_id=row.order_id).first()
        return _link("admin:payments_payment_change", payment.pk, "Ledger") if payment else "–"

    @display(description="order")
    def order_page(self, row: MoneyDiscrepancy) -> str:
        if row.order_id is None:
            return "–"
        return _link("admin:orders_order_change", row.order_id, row.order_id)

    def has_resolve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        if not request.user.has_perm("payments.resolve_discrepancy"):
            return False
        row = self.get_object(request, str(object_id)) if object_id else None
        return row is None or row.state == DiscrepancyState.OPEN

    @action(
        description="Resolve",
        icon="task_alt",
        permissions=["resolve"],
        dialog=ActionDialog(
            title="Resolve this discrepancy?",
            description="Nothing is asked of the gateway. The same facts are not reported again;"
            " other facts about this payment are.",
            form_class=ResolveForm,
            form_submit_text="Resolve",
        ),
    )
    def resolve(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        reason = form.cleaned_data["reason"]
        try:
            facade.resolve_discrepancy(row.pk, reason)
        except HoldfastError as error:
            tell(self, request, error)
        else:
            self.log_change(request, row, f"Resolved: {reason}")
            self.message_user(request, f"{row} is resolved.", messages.SUCCESS)
        return back(self, request, object_id)


def _link(page: str, key: object, text: object) -> str:
    address = reverse(page, args=[key])
    return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', address, text)


@admin.register(ReconcilerRun)
class ReconcilerRunAdmin(ReadOnlyAdmin):
    list_display = (
        *("started_at", "seconds", "records", "payments", "mended", "opened", "cleared"),
    )
    list_filter = ("started_at",)
    ordering = ("-id",)
