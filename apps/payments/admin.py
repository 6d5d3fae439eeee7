"""Payments and their ledger, to look at only."""

from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline

from apps.payments.models import Payment, PaymentEntry


class ReadOnly:
    """Nothing is added, changed or deleted here: the ledger tells what happened."""

    def has_add_permission(self, request, *args) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


class PaymentEntryInline(ReadOnly, TabularInline):
    model = PaymentEntry
    extra = 0
    fields = ("created_at", "operation", "state", "amount", "currency", "code", "detail")
    ordering = ("id",)


@admin.register(Payment)
class PaymentAdmin(ReadOnly, ModelAdmin):
    list_display = ("id", "order_id", "amount", "currency", "card_token", "created_at")
    list_filter = ("currency", "card_token", "created_at")
    search_fields = ("=id", "=order_id", "card_token")
    search_help_text = "Reference at the gateway, order id or card token"
    ordering = ("-id",)
    inlines = (PaymentEntryInline,)
    list_per_page = 50
    show_full_result_count = False


@admin.register(PaymentEntry)
class PaymentEntryAdmin(ReadOnly, ModelAdmin):
    list_display = (
        "created_at", "payment", "operation", "state", "amount", "currency", "code",
        "gateway_reference",
    )  # fmt: skip
    list_filter = ("operation", "state", "currency", "created_at")
    search_fields = ("=payment__id", "=payment__order_id", "gateway_reference", "code")
    search_help_text = "Reference at the gateway, order id, the gateway's id or a code"
    ordering = ("-id",)
    list_per_page = 50
    list_select_related = ("payment",)
    show_full_result_count = False
