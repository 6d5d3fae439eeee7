"""Orders and their lines, as sold."""

from django.db import models
from django.db.models.functions import Now

from apps.orders.audit.models import AuditRun
from apps.orders.enums import FulfillmentStatus, OrderStatus, PaymentStatus, Review

__all__ = ["AuditRun", "Order", "OrderLine"]


class Order(models.Model):
    """An accepted order. Amounts are in ``currency``; ``version`` grows with every change."""

    id = models.UUIDField(primary_key=True)
    customer_id = models.UUIDField()
    status = models.CharField(max_length=10, choices=OrderStatus, default=OrderStatus.PENDING)
    payment_status = models.CharField(
        max_length=20, choices=PaymentStatus, default=PaymentStatus.NOT_PAID
    )
    fulfillment_status = models.CharField(
        max_length=15, choices=FulfillmentStatus, default=FulfillmentStatus.NOT_FULFILLED
    )
    review = models.CharField(max_length=10, choices=Review, db_default=Review.NONE)
    version = models.IntegerField(default=1)
    currency = models.CharField(max_length=3)
    goods_total = models.DecimalField(max_digits=14, decimal_places=2)
    shipping_total = models.DecimalField(max_digits=14, decimal_places=2)
    total = models.DecimalField(max_digits=14, decimal_places=2)
    address = models.JSONField()
    external_reference = models.CharField(max_length=64, null=True, unique=True)
    cancel_reason = models.CharField(max_length=60, db_default="")
    saga_id = models.UUIDField(help_text="The run of its checkout.")
    placed_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [
            ("move_order", "Can ship, deliver and cancel orders"),
            ("approve_order", "Can approve orders held for review"),
        ]
        indexes = [
            models.Index(fields=["customer_id", "-placed_at", "-id"], name="order_of_customer"),
            models.Index(fields=["-placed_at", "-id"], name="order_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(total=models.F("goods_total") + models.F("shipping_total")),
                name="order_total_adds_up",
            )
        ]

    def __str__(self) -> str:
        return self.external_reference or f"Order {self.id.hex[-8:].upper()}"


class OrderLine(models.Model):
    """What was sold, at the price and under the name it had then."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    product_id = models.UUIDField()
    sku = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
    quantity = models.PositiveIntegerField()

    class Meta:
        verbose_name = "order line"
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position"),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=1, unit_price__gte=0), name="order_line_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"
