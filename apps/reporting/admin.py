"""The read model's pages, to look at only: events alone change it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from unfold.decorators import display

from apps.common.admin import ReadOnlyAdmin
from apps.reporting import desk, selectors
from apps.reporting.enums import Dimension
from apps.reporting.models import (
    CategoryName,
    CustomerName,
    DailySales,
    OrderView,
    OrderViewLine,
    OrderViewRefund,
    ProductName,
    Projection,
    ProjectionRebuild,
)

SOURCES = ("order_version", "payment_version", "shipment_version")


class WithLag(ReadOnlyAdmin):
    """A list below how far the read model is behind."""

    list_before_template = "admin/reporting/lag.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):  # before anything is asked
            raise PermissionDenied
        context = {"lag": desk.lag_tile()} | (extra_context or {})
        return super().changelist_view(request, context)


@admin.register(OrderView)
class OrderViewAdmin(WithLag):
    list_display = (
        "__str__", "placed_at", "customer", "state", "payment", "item_count", "sum",
        "country",
    )  # fmt: skip
    list_filter = ("status", "placed_at")
    search_fields = ("order_id__exact",)
    search_help_text = "Order or customer id, words of names and SKUs, beginning of an e-mail"
    ordering = ("-placed_at", "-order_id")
    fieldsets = (
        (None, {"fields": ("order_id", "status_display", "placed_at", "updated_at", "country")}),
        ("Customer", {"fields": ("customer_name", "customer_email", "customer_id")}),
        ("States", {"fields": ("status", "payment_status", "fulfillment_status", *SOURCES)}),
        (
            "Money",
            {"fields": ("currency", "subtotal", "shipping", "total", "refunded", "item_count")},
        ),
        ("Goods", {"fields": ("goods",)}),
    )
    readonly_fields = ("payment_status", "status_display", "goods")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return selectors.order_views().order_by(*self.get_ordering(request))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str):
        term = search_term.strip()
        if not term or "\x00" in term:
            return queryset if not term else queryset.none(), False
        return selectors.matching(queryset, term), False

    @display(description="customer", ordering="customer_id")
    def customer(self, row: OrderView) -> str:
        return f"{row.customer_name} <{row.customer_email}>" if row.customer_name else "–"

    @display(
        description="state",
        ordering="status",
        label={
            "pending": "info",
            "confirmed": "primary",
            "shipped": "warning",
            "delivered": "success",
            "cancelled": "danger",
        },
    )
    def state(self, row: OrderView) -> tuple[str, str]:
        return row.status, row.status_display

    @display(description="payment", ordering="payment_status")
    def payment(self, row: OrderView) -> str:
        return row.payment_status.replace("_", " ").capitalize()

    @display(description="total", ordering="total")
    def sum(self, row: OrderView) -> str:
        return f"{row.total:,} {row.currency}"

    @display(description="goods")
    def goods(self, row: OrderView) -> str:
        lines = selectors.lines_of([row.order_id])[row.order_id]
        context = {"lines": lines, "currency": row.currency}
        return render_to_string("admin/reporting/goods.html", context)


@admin.register(OrderViewLine)
class OrderViewLineAdmin(ReadOnlyAdmin):
    list_display = ("order_id", "position", "sku", "name", "quantity", "unit_price")
    search_fields = ("order_id__exact", "product_id__exact")
    ordering = ("-id",)


@admin.register(OrderViewRefund)
class OrderViewRefundAdmin(ReadOnlyAdmin):
    list_display = ("return_id", "order_id", "amount")
    search_fields = ("order_id__exact", "return_id__exact")
    ordering = ("-return_id",)


@admin.register(CustomerName)
class CustomerNameAdmin(ReadOnlyAdmin):
    list_display = ("name", "email", "customer_id", "version")
    search_fields = ("customer_id__exact", "email__startswith")
    ordering = ("-customer_id",)


@admin.register(ProductName)
class ProductNameAdmin(ReadOnlyAdmin):
    list_display = ("name", "sku", "category_id", "version")
    search_fields = ("product_id__exact", "sku__exact")
    ordering = ("-product_id",)


@admin.register(CategoryName)
class CategoryNameAdmin(ReadOnlyAdmin):
    list_display = ("name", "category_id", "version")
    search_fields = ("category_id__exact", "name__startswith")
    ordering = ("-category_id",)


class SalesForm(forms.Form):
    """What the page of the daily sales is asked for; what makes no sense is left out."""

    by = forms.ChoiceField(required=False, choices=Dimension.choices, label="By")
    since = forms.DateField(required=False, label="From")
    until = forms.DateField(required=False, label="To")

    def wanted(self) -> desk.Wanted:
        self.is_valid()
        usual = desk.Wanted()
        given = self.cleaned_data
        return desk.Wanted(
            given.get("by") or usual.dimension,
            given.get("since") or usual.first,
            given.get("until") or usual.last,
        )


@admin.register(DailySales)
class DailySalesAdmin(ReadOnlyAdmin):
    """Sums over days instead of single cells."""

    list_display = ("day", "dimension", "key", "currency", "orders", "pieces", "revenue", "refunds")
    ordering = ("-day", "-id")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        wanted = SalesForm(request.GET).wanted()
        context: dict[str, Any] = self.admin_site.each_context(request)
        context |= {"title": "Daily sales", "opts": self.opts, "wanted": wanted}
        context |= {"page": desk.sales_page(wanted), "dimensions": Dimension.choices}
        return TemplateResponse(
            request, "admin/reporting/sales.html", context | (extra_context or {})
        )


@admin.register(Projection)
class ProjectionAdmin(WithLag):
    list_display = ("name", "applied", "last_event_at", "applied_at", "heartbeat_at")
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(ProjectionRebuild)
class ProjectionRebuildAdmin(ReadOnlyAdmin):
    list_display = ("projection", "outcome", "started_at", "ended_at", "events", "differing")
    list_filter = ("state",)
    search_fields = ("projection",)
    ordering = ("-id",)

    @display(
        description="state",
        label={"Running": "info", "Swapped": "success", "Abandoned": "warning"},
    )
    def outcome(self, row: ProjectionRebuild) -> str:
        return row.get_state_display()

    @display(description="rows that differed")
    def differing(self, row: ProjectionRebuild) -> str:
        return f"{sum(one['rows'] for one in row.differences.values()):,}"
