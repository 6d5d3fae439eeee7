"""Orders for staff. Nothing is edited: an order moves by its actions, through the facade."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import action, display

from apps.common.admin import ReadOnlyAdmin, for_each
from apps.orders import facade
from apps.orders.audit.admin import AuditRunAdmin
from apps.orders.contracts import CancelOrder, DeliverOrder, ShipOrder
from apps.orders.models import Order, OrderLine

__all__ = ["AuditRunAdmin", "OrderAdmin", "OrderLineAdmin"]

COLOURS = {
    "pending": "info",
    "not_paid": "info",
    "not_fulfilled": "info",
    "authorized": "info",
    "scheduled": "info",
    "confirmed": "success",
    "captured": "success",
    "shipped": "success",
    "delivered": "success",
    "cancelled": "warning",
    "voided": "warning",
    "refunded": "warning",
    "partially_refunded": "warning",
    "declined": "danger",
}


class OrderLineInline(TabularInline):
    model = OrderLine
    hide_title = True
    fields = readonly_fields = ["sku", "name", "unit_price", "quantity"]
    ordering = ["position"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = [
        "reference",
        "shown_status",
        "shown_payment",
        "shown_fulfillment",
        "sum",
        "placed_at",
    ]
    list_filter = ["status", "payment_status", "fulfillment_status", "placed_at"]
    search_fields = ["id__exact", "customer_id__exact", "external_reference__exact"]
    ordering = ["-placed_at", "-id"]
    inlines = [OrderLineInline]
    actions = ["ship", "deliver", "cancel"]
    fieldsets = [
        (None, {"fields": ["id", "status", "payment_status", "fulfillment_status", "placed_at"]}),
        ("Money", {"fields": ["currency", "goods_total", "shipping_total", "total"]}),
        ("Customer", {"fields": ["customer_id", "ship_to"]}),
        (
            "Behind it",
            {"fields": ["saga_id", "external_reference", "cancel_reason", "version"]},
        ),
    ]

    @display(description="Order", ordering="id")
    def reference(self, order: Order) -> str:
        return str(order)

    @display(description="Status", label=COLOURS, ordering="status")
    def shown_status(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description="Payment", label=COLOURS, ordering="payment_status")
    def shown_payment(self, order: Order) -> tuple[str, str]:
        return order.payment_status, order.get_payment_status_display()

    @display(description="Fulfilment", label=COLOURS, ordering="fulfillment_status")
    def shown_fulfillment(self, order: Order) -> tuple[str, str]:
        return order.fulfillment_status, order.get_fulfillment_status_display()

    @display(description="Ship to")
    def ship_to(self, order: Order) -> str:
        names = ("name", "line1", "line2", "city", "region", "postal_code", "country")
        return ", ".join(order.address[name] for name in names if order.address.get(name))

    @display(description="Total", ordering="total")
    def sum(self, order: Order) -> str:
        return f"{order.total:,} {order.currency}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).prefetch_related(None)

    @action(description="Ship", permissions=["move"])
    @for_each
    def ship(self, request: HttpRequest, order: Order) -> str:
        facade.ship_order(ShipOrder(order.id, order.version))
        return f"{order.id} is shipped."

    @action(description="Mark delivered", permissions=["move"])
    @for_each
    def deliver(self, request: HttpRequest, order: Order) -> str:
        facade.deliver_order(DeliverOrder(order.id, order.version))
        return f"{order.id} is delivered."

    @action(description="Cancel", permissions=["move"])
    @for_each
    def cancel(self, request: HttpRequest, order: Order) -> str:
        facade.cancel_order(
            CancelOrder(
                principal=f"staff:{request.user.public_id}",
                key=f"cancel:{order.id}:{order.version}",
                order_id=order.id,
                reason="cancelled_by_staff",
                version=order.version,
            )
        )
        return f"{order.id} is being cancelled."

    def has_move_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.move_order")


@admin.register(OrderLine)
class OrderLineAdmin(ReadOnlyAdmin):
    list_display = ["sku", "name", "quantity", "unit_price", "order_id"]
    list_filter = ["order__status"]
    search_fields = ["sku__exact", "order__id__exact", "product_id__exact"]
    ordering = ["-id"]
