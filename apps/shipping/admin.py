"""Shipments for staff: read-only, an order's actions move them."""

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.shipping.models import Shipment


@admin.register(Shipment)
class ShipmentAdmin(ReadOnlyAdmin):
    list_display = ["tracking_number", "order_id", "status", "scheduled_at", "dispatched_at"]
    list_filter = ["status", "scheduled_at"]
    search_fields = ["tracking_number__exact", "order_id__exact", "id__exact"]
    ordering = ["-id"]  # made in the order of time
