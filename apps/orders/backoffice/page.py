"""Orders for staff. Nothing is edited: an order moves by its buttons, through the facade."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import path, reverse
from django.utils.html import format_html
from unfold.decorators import action, display

from apps.common.admin import Desk, ReadOnlyAdmin, back, for_each, tell
from apps.common.errors import HoldfastError
from apps.common.transfer.admin import TransferAdmin
from apps.customers import facade as customers
from apps.messaging.staff_admin import History
from apps.orders.backoffice.moves import BY_NAME, MoveForm, carry_out, moves_of
from apps.orders.backoffice.returning import RETURN_COLOURS, ReturnDesk
from apps.orders.backoffice.transfer import OrderResource
from apps.orders.enums import FulfillmentStatus, OrderStatus, PaymentStatus, Review
from apps.orders.models import Order, OrderReturn
from apps.orders.timeline import order_timeline
from apps.sagas import facade as sagas

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
    "held": "warning",
    "approved": "success",
}
ICONS = {
    "order": "shopping_cart",
    "saga": "account_tree",
    "payment": "payments",
    "stock": "warehouse",
    "shipment": "local_shipping",
    "staff": "person",
}
ADDRESS = ("name", "line1", "line2", "city", "region", "postal_code", "country")


class OrderPage(Desk, ReturnDesk, History, TransferAdmin, ReadOnlyAdmin):
    """The list, and the page of one order with its buttons and its timeline."""

    resource_classes = [OrderResource]

    list_display = [
        "reference",
        "shown_status",
        "shown_payment",
        "shown_fulfillment",
        "sum",
        "placed_at",
    ]
    list_filter = ["status", "payment_status", "fulfillment_status", "review", "placed_at"]
    search_fields = ["id__exact", "customer_id__exact", "external_reference__exact"]
    search_help_text = "An order's id or reference, or a customer's id."
    ordering = ["-placed_at", "-id"]
    actions = ["ship", "deliver", "cancel"]
    change_form_outer_before_template = "admin/orders/order/desk.html"
    fieldsets = [
        (
            "Behind it",
            {"fields": ["id", "customer_id", "saga_id", "external_reference", "version"]},
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

    @display(description="Total", ordering="total")
    def sum(self, order: Order) -> str:
        return f"{order.total:,} {order.currency}"

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.move_view)
        own = path("<uuid:order_id>/move/<slug:name>/", view, name="orders_order_move")
        return [own, *self.return_urls(), *super().get_urls()]

    def desk(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        """What the page shows beside the plain columns."""
        labels = [
            ("Order", order.status, OrderStatus(order.status).label),
            ("Payment", order.payment_status, PaymentStatus(order.payment_status).label),
            (
                "Fulfilment",
                order.fulfillment_status,
                FulfillmentStatus(order.fulfillment_status).label,
            ),
        ]
        people = reverse("admin:customers_user_changelist")
        moves = moves_of(order, request.user)
        if order.review != Review.NONE:
            labels.append(("Review", order.review, Review(order.review).label))
        return {
            "order": order,
            "labels": [(name, COLOURS[value], text) for name, value, text in labels],
            "customer": customers.get_customer(order.customer_id),
            "customer_link": f"{people}?q={order.customer_id}&deletion=all",
            "may_see_customers": request.user.has_perm("customers.view_user"),
            "runs": [
                (one, reverse("admin:sagas_sagarun_change", args=[one.run_id]))
                for one in sagas.runs_of(str(order.pk))
                if request.user.has_perm("sagas.view_sagarun")
            ],
            "ship_to": [order.address[name] for name in ADDRESS if order.address.get(name)],
            "lines": [
                (line, line.unit_price * line.quantity) for line in order.lines.order_by("position")
            ],
            "moves": [
                (move, reverse("admin:orders_order_move", args=[order.pk, move.name]))
                for move in moves
            ],
            "timeline": [(one, ICONS[one.source]) for one in order_timeline(order)],
            **self.returns_of(request, order),
        }

    def move_view(self, request: HttpRequest, order_id: UUID, name: str) -> HttpResponse:
        """One of the page's buttons, at the version that the page showed."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if name not in BY_NAME:
            raise Http404
        if not request.user.has_perm(BY_NAME[name].permission):
            raise PermissionDenied
        order = self.get_object(request, str(order_id))
        if order is None:
            raise Http404
        move = BY_NAME[name]
        form = MoveForm(request.POST, move=move)
        if not form.is_valid():
            for field, errors in form.errors.items():
                self.message_user(request, f"{field}: {' '.join(errors)}", messages.ERROR)
            return back(self, request, order_id)
        given = form.cleaned_data
        try:
            carry_out(move, order_id=order_id, user=request.user, **given)
        except HoldfastError as error:
            if error.code == "version_conflict":
                text = "Changed meanwhile: look at the order as it is now. Nothing was done."
                self.message_user(request, text, messages.ERROR)
            else:
                tell(self, request, error)
        else:
            said = f": {given['reason']}" if given["reason"] else ""
            self.log_change(request, order, f"{move.title}{said}.")
            self.message_user(request, f"{order} {move.done}.", messages.SUCCESS)
        return back(self, request, order_id)

    @action(description="Ship", permissions=["move"])
    @for_each
    def ship(self, request: HttpRequest, order: Order) -> str:
        return self._moved(request, order, "ship")

    @action(description="Mark delivered", permissions=["move"])
    @for_each
    def deliver(self, request: HttpRequest, order: Order) -> str:
        return self._moved(request, order, "deliver")

    @action(description="Cancel", permissions=["move"])
    @for_each
    def cancel(self, request: HttpRequest, order: Order) -> str:
        return self._moved(request, order, "cancel", reason="cancelled_by_staff")

    def _moved(self, request: HttpRequest, order: Order, name: str, reason: str = "") -> str:
        move = BY_NAME[name]
        carry_out(move, order_id=order.pk, version=order.version, reason=reason, user=request.user)
        self.log_change(request, order, f"{move.title}.")
        return f"{order} {move.done}."

    def has_move_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.move_order")


class OrderLinePage(ReadOnlyAdmin):
    list_display = ["sku", "name", "quantity", "unit_price", "order_id"]
    list_filter = ["order__status"]
    search_fields = ["sku__exact", "order__id__exact", "product_id__exact"]
    ordering = ["-id"]


class OrderReturnPage(ReadOnlyAdmin):
    """Returns as they stand; an order's page takes and decides them."""

    list_display = ["reference", "on_order", "shown_status", "refund", "reason", "created_at"]
    list_filter = ["status", "created_at"]
    list_select_related = ["order"]
    search_fields = ["id__exact", "order__id__exact", "external_reference__exact"]
    search_help_text = "A return's or an order's id, or an imported return's reference."
    ordering = ["-created_at", "-id"]

    @display(description="Return", ordering="id")
    def reference(self, one: OrderReturn) -> str:
        return str(one)

    @display(description="Order")
    def on_order(self, one: OrderReturn) -> str:
        link = reverse("admin:orders_order_change", args=[one.order_id])
        return format_html('<a href="{}">{}</a>', link, one.order)

    @display(description="Status", label=RETURN_COLOURS, ordering="status")
    def shown_status(self, one: OrderReturn) -> tuple[str, str]:
        return one.status, one.get_status_display()

    @display(description="Refund", ordering="amount")
    def refund(self, one: OrderReturn) -> str:
        return f"{one.amount:,} {one.order.currency}"


class OrderReturnLinePage(ReadOnlyAdmin):
    list_display = ["sku", "quantity", "restock", "order_return_id"]
    list_filter = ["restock"]
    list_select_related = ["order_line"]
    search_fields = ["order_return__id__exact", "order_line__sku__exact"]
    ordering = ["-id"]

    @display(description="SKU")
    def sku(self, line) -> str:
        return line.order_line.sku
