"""Payments and their ledger, to look at only: the ledger tells what happened."""

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline

from apps.common.admin import ReadOnlyAdmin
from apps.common.lists import FoundThroughParent
from apps.payments import backoffice as backoffice  # its pages register themselves
from apps.payments.models import Payment, PaymentEntry


class CurrencyFilter(admin.SimpleListFilter):
    """One of the shop's currencies; asking the table which it has would read all of it."""

    title = parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(code, code) for code in settings.CURRENCIES]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(currency=self.value()) if self.value() else queryset


class PaymentEntryInline(TabularInline):
    model = PaymentEntry
    extra = 0
    fields = ("created_at", "operation", "state", "amount", "currency", "code", "detail")
    ordering = ("id",)

    def has_add_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        return False


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = ("id", "order_id", "amount", "currency", "method", "card_token", "created_at")
    list_filter = ("method", CurrencyFilter, "created_at")
    search_fields = ("id__exact", "order_id__exact", "card_token__exact")
    search_help_text = "Reference at the gateway, order id or card token"
    ordering = ("-id",)
    inlines = (PaymentEntryInline,)


@admin.register(PaymentEntry)
class PaymentEntryAdmin(FoundThroughParent, ReadOnlyAdmin):
    list_display = (
        "created_at", "payment", "operation", "state", "amount", "currency", "code", "detail",
        "gateway_reference",
    )  # fmt: skip
    list_filter = ("operation", "state", CurrencyFilter, "created_at")
    search_parent, search_parent_fields = "payment", ("id", "order_id")
    search_fields = ("gateway_reference__exact", "code__exact", "refund_id__exact")
    search_help_text = "Reference at the gateway, order or refund id, the gateway's id or a code"
    ordering = ("-id",)
    list_select_related = ("payment",)
