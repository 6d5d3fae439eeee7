"""Shipments. One per order, for life: a cancelled one is kept, so that it cannot come back."""

from django.db import models
from django.db.models.functions import Now

from apps.shipping.contracts import ShipmentStatus

DATABASE = "orders"


class Shipment(models.Model):
    """The shipment of an order."""

    id = models.UUIDField(primary_key=True)
    order_id = models.UUIDField(unique=True)
    status = models.CharField(
        max_length=12,
        choices=[(status.value, status.value) for status in ShipmentStatus],
        default=ShipmentStatus.SCHEDULED.value,
    )
    tracking_number = models.CharField(max_length=40)
    address = models.JSONField(default=dict)
    scheduled_at = models.DateTimeField(db_default=Now())
    dispatched_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    failure = models.CharField(
        "failed because", max_length=60, blank=True, db_default="", help_text="A code."
    )

    class Meta:
        verbose_name = "shipment"
        constraints = [
            # Not unique=True: that would keep a second index for LIKE.
            models.UniqueConstraint(fields=["tracking_number"], name="shipment_tracking_once"),
        ]

    def __str__(self) -> str:
        return self.tracking_number
