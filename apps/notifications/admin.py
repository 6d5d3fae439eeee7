"""The log of customers' mails, and what mails are made of. Only a service writes here."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
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
from apps.notifications import selectors, services
from apps.notifications.enums import OPEN_STATES, OPTIONAL, EmailState
from apps.notifications.models import Email, OrderFacts, Preference, Recipient

COLOURS = {
    EmailState.PENDING: "info",
    EmailState.SENDING: "info",
    EmailState.SENT: "success",
    EmailState.FAILED: "danger",
    EmailState.SKIPPED: "default",
}


class ResendForm(BaseDialogForm):
    reason = forms.CharField(
        max_length=services.MOST_REASON,
        strip=True,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Why the customer gets it once more. It stays in the log of staff changes.",
    )


@admin.register(Email)
class EmailAdmin(History, ReadOnlyAdmin):
    list_display = (
        "subject_or_kind",
        "recipient",
        "shown_state",
        "attempts",
        "created_at",
        "sent_at",
    )
    list_filter = ("state", "kind", "created_at")
    search_fields = ("recipient__exact", "order_id__exact", "customer_id__exact", "event_id__exact")
    search_help_text = "E-mail address, or id of the order, the customer or the event"
    ordering = ("-id",)
    actions_detail = ("resend",)
    fieldsets = (
        (None, {"fields": ("state", "kind", "recipient", "subject", "error", "preview")}),
        ("Course", {"fields": ("attempts", "created_at", "next_attempt_at", "sent_at")}),
        ("About", {"fields": ("order_page", "customer_id", "event_id", "copy", "correlation_id")}),
    )
    readonly_fields = ("preview", "order_page")

    @display(description="e-mail", ordering="kind")
    def subject_or_kind(self, row: Email) -> str:
        return row.subject or row.get_kind_display()

    @display(description="state", label=COLOURS, ordering="state")
    def shown_state(self, row: Email) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description="text")
    def preview(self, row: Email) -> str:
        text = selectors.email_preview(row)
        if not text:
            return "It is not composed yet."
        return format_html(
            '<pre class="font-mono text-sm leading-relaxed"'
            ' style="white-space:pre-wrap;overflow-wrap:anywhere">{}</pre>',
            text,
        )

    @display(description="order")
    def order_page(self, row: Email) -> str:
        if row.order_id is None:
            return "–"
        page = reverse("admin:orders_order_change", args=[row.order_id])
        return format_html(
            '<a class="text-primary-600 underline" href="{}">{}</a>', page, row.order_id
        )

    def has_resend_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        if not request.user.has_perm("notifications.resend_email"):
            return False
        row = self.get_object(request, str(object_id)) if object_id else None
        return row is None or row.state not in OPEN_STATES

    @action(
        description="Send again",
        icon="forward_to_inbox",
        permissions=["resend"],
        dialog=ActionDialog(
            title="Send this mail once more?",
            description="It is made anew from what is known today and goes to the customer's"
            " present address, whatever their preferences.",
            form_class=ResendForm,
            form_submit_text="Send again",
        ),
    )
    def resend(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        reason = form.cleaned_data["reason"]
        try:
            copy = services.email_resend(email_id=row.pk, reason=reason)
        except HoldfastError as error:
            tell(self, request, error)
            return back(self, request, object_id)
        self.log_change(request, row, f"Sent again: {reason}")
        self.message_user(request, f"{row} goes once more.", messages.SUCCESS)
        return back(self, request, copy.pk)


@admin.register(Preference)
class PreferenceAdmin(ReadOnlyAdmin):
    list_display = ("customer", *OPTIONAL, "changed_at")
    list_filter = OPTIONAL
    search_fields = ("customer_id__exact",)
    search_help_text = "Customer id"
    ordering = ("customer_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        them = Recipient.objects.filter(customer_id=OuterRef("customer_id"))
        return super().get_queryset(request).annotate(address=Subquery(them.values("email")))

    @display(description="customer")
    def customer(self, row: Preference) -> str:
        return row.address or str(row.customer_id)


@admin.register(Recipient)
class RecipientAdmin(ReadOnlyAdmin):
    list_display = ("email", "name", "gone", "version")
    list_filter = ("gone",)
    search_fields = ("customer_id__exact",)
    search_help_text = "Customer id"
    ordering = ("-customer_id",)  # made in the order of time


@admin.register(OrderFacts)
class OrderFactsAdmin(ReadOnlyAdmin):
    list_display = ("order_id", "placed_at", "total", "currency", "customer_id")
    search_fields = ("order_id__exact",)
    search_help_text = "Order id"
    ordering = ("-order_id",)  # made in the order of time
