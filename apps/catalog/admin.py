"""The catalogue in the back office: products, categories, stock. Writes go through services."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter
from unfold.dataclasses import ActionDialog
from unfold.decorators import action, display

from apps.catalog import categories, facade, services
from apps.catalog.contracts import AdjustStock
from apps.catalog.engagement.admin import SaleNoteAdmin  # noqa: F401 - Django looks for it here
from apps.catalog.forms import AdjustStockForm, CategoryForm, ProductForm
from apps.catalog.models import (
    Category,
    PriceChange,
    Product,
    Reservation,
    StockItem,
    StockLedgerEntry,
)
from apps.catalog.product_desk import product_desk
from apps.catalog.searching import FoundByWords
from apps.catalog.transfer import PriceResource, ProductResource, StockResource
from apps.common.admin import LivingFilter, ReadOnlyAdmin, SoftDeleteAdmin, back, tell
from apps.common.errors import HoldfastError
from apps.common.lists import FoundThroughParent
from apps.common.transfer.admin import TransferAdmin
from apps.messaging.staff_admin import History


class StockFilter(admin.SimpleListFilter):
    """Something left, or nothing."""

    title = "stock"
    parameter_name = "stock"
    path = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("available", "Available"), ("sold_out", "Sold out")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        on_hand, reserved = f"{self.path}on_hand", F(f"{self.path}reserved")
        if self.value() == "available":
            return queryset.filter(**{f"{on_hand}__gt": reserved})
        if self.value() == "sold_out":
            return queryset.filter(**{on_hand: reserved})
        return queryset


class ProductStockFilter(StockFilter):
    path = "stock_item__"


class HolderFilter(admin.SimpleListFilter):
    """Whom stock is promised to: a cart for a while, or an order."""

    title, parameter_name = "held for", "holder"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("cart", "A cart, for a while"), ("order", "An order")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() in ("cart", "order"):
            return queryset.filter(expires_at__isnull=self.value() == "order")
        return queryset


class AdjustingAdmin:
    """The dialog that corrects a count, on the pages of product and stock item (same key)."""

    def has_adjust_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("catalog.adjust_stock")

    @action(
        description="Adjust stock",
        icon="inventory",
        permissions=["adjust"],
        dialog=ActionDialog(
            title="Adjust stock",
            description="The count changes and the ledger says why; never below what is reserved.",
            form_class=AdjustStockForm,
            form_submit_text="Adjust",
        ),
    )
    def adjust_stock(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        product = row.product if isinstance(row, StockItem) else row
        given = form.cleaned_data
        command = AdjustStock(
            key=str(given["key"]),
            principal=f"staff:{request.user.public_id}",
            product_id=product.public_id,
            delta=given["delta"],
            reason=given["reason"],
        )
        try:
            level = facade.adjust_stock(command)
        except HoldfastError as error:
            tell(self, request, error)
        else:
            self.log_change(request, row, f"Adjusted by {command.delta:+}: {command.reason}")
            text = f"{level.on_hand} on hand, {level.available} of them available."
            self.message_user(request, f"{product}: {text}", messages.SUCCESS)
        return back(self, request, object_id)


@admin.register(Product)
class ProductAdmin(FoundByWords, History, TransferAdmin, AdjustingAdmin, SoftDeleteAdmin):
    resource_classes = [ProductResource, PriceResource, StockResource]
    form = ProductForm
    list_display = ("sku", "name", "category", "price", "stock", "state", "updated_at")
    list_display_links = ("sku", "name")
    list_filter = (
        LivingFilter,
        "active",
        ProductStockFilter,
        ("category", AutocompleteSelectFilter),
    )
    list_filter_submit = True
    list_select_related = ("category", "stock_item")
    search_fields = ("sku", "name", "public_id__exact")
    ordering = ("name", "id")
    autocomplete_fields = ("category",)
    readonly_fields = ("public_id", "stock", "created_at", "updated_at", "deleted")
    actions_detail = ("adjust_stock", "restore")
    change_form_outer_before_template = "admin/catalog/product/desk.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        product = self.get_object(request, object_id)
        if product is not None and self.has_view_or_change_permission(request, product):
            extra_context = (extra_context or {}) | product_desk(request, product)
        return super().change_view(request, object_id, form_url, extra_context)

    @display(description="stock")
    def stock(self, product: Product) -> str:
        item = getattr(product, "stock_item", None)
        return f"{item.available} available ({item})" if item else "–"

    @display(
        description="state",
        label={"For sale": "success", "Hidden": "warning", "Deleted": "danger"},
    )
    def state(self, product: Product) -> str:
        if product.deleted:
            return "Deleted"
        return "For sale" if product.active else "Hidden"

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None):
        facts = ["public_id", "stock", "created_at", "updated_at"]
        facts += ["deleted"] if obj and obj.deleted else []
        return [
            (None, {"fields": [*ProductForm.Meta.fields, "seen_version"]}),
            *([("Facts", {"fields": facts})] if obj else []),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        price = {"price": [None, settings.DEFAULT_CURRENCY]}
        return price | super().get_changeform_initial_data(request)

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        given = dict(form.cleaned_data)
        version, category = given.pop("seen_version"), given.pop("category")
        given["category_id"] = category.pk if category else None
        if not change:
            created = services.product_create(**given)
            obj.pk, obj.public_id, obj._state.adding = created.pk, created.public_id, False
            return
        before = {**form.initial, "category_id": form.initial["category"]}
        if changes := {name: value for name, value in given.items() if value != before[name]}:
            # A form without its version was not made by this page: no product is at version 0.
            services.product_change(product_pk=obj.pk, version=version or 0, changes=changes)

    def delete_row(self, request: HttpRequest, row: Product) -> None:
        services.product_delete(product_pk=row.pk)

    def restore_row(self, request: HttpRequest, row: Product) -> None:
        services.product_restore(product_pk=row.pk)


@admin.register(Category)
class CategoryAdmin(History, SoftDeleteAdmin):
    form = CategoryForm
    list_display = ("name", "slug", "parent", "state")
    list_filter = (LivingFilter, ("parent", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("parent",)
    search_fields = ("name", "slug")
    ordering = ("name", "id")
    autocomplete_fields = ("parent",)
    prepopulated_fields = {"slug": ("name",)}

    @display(description="state", label={"Living": "success", "Deleted": "danger"})
    def state(self, category: Category) -> str:
        return "Deleted" if category.deleted else "Living"

    def get_prepopulated_fields(self, request: HttpRequest, obj: Category | None = None):
        return {} if obj else self.prepopulated_fields

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        given = form.cleaned_data
        values = {"name": given["name"], "slug": given["slug"], "parent_id": obj.parent_id}
        if change:
            seen = given["seen_version"] or 0  # as with products
            categories.category_change(category_id=obj.pk, version=seen, **values)
            return
        obj.pk = categories.category_create(**values).pk
        obj._state.adding = False

    def delete_row(self, request: HttpRequest, row: Category) -> None:
        categories.category_delete(category_id=row.pk)

    def restore_row(self, request: HttpRequest, row: Category) -> None:
        categories.category_restore(category_id=row.pk)


@admin.register(StockItem)
class StockItemAdmin(FoundByWords, AdjustingAdmin, ReadOnlyAdmin):
    list_display = ("product", "on_hand", "reserved", "available")
    list_filter = (StockFilter,)
    list_select_related = ("product",)
    search_fields = ("product__sku", "product__name", "product__public_id__exact")
    words_of = "product_id"
    ordering = ("product__name", "product_id")
    readonly_fields = ("available",)
    actions_detail = ("adjust_stock",)


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    list_display = (
        "order_id",
        "product",
        "quantity",
        "status",
        "expires_at",
        "created_at",
        "ended_at",
    )
    list_filter = ("status", HolderFilter, ("created_at", RangeDateFilter))
    list_filter_submit = True
    list_select_related = ("product",)
    search_fields = ("order_id__exact", "product__sku")
    ordering = ("-id",)


@admin.register(StockLedgerEntry)
class StockLedgerAdmin(FoundThroughParent, ReadOnlyAdmin):
    list_display = (
        "created_at",
        "product",
        "kind",
        "delta_on_hand",
        "delta_reserved",
        "order_id",
        "reason",
        "actor",
    )
    list_filter = ("kind", ("created_at", RangeDateFilter))
    list_filter_submit = True
    list_select_related = ("product",)
    search_parent, search_parent_fields = "product", ("sku", "public_id")
    search_fields = ("order_id__exact", "reference__exact")
    search_help_text = "A product's SKU or id, an order's id or a reference, as it stands there."
    ordering = ("-id",)


@admin.register(PriceChange)
class PriceChangeAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "product", "before", "after", "version", "actor")
    list_filter = (("created_at", RangeDateFilter),)
    list_filter_submit = True
    list_select_related = ("product",)
    search_fields = ("product__sku", "product__name", "actor")
    ordering = ("-id",)
