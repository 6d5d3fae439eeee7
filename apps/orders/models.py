"""Orders and their lines, as sold."""

from django.db import models
from django.db.models.functions import Now

from apps.orders.audit.models import AuditRun
from apps.orders.enums import (
    FulfillmentStatus,
    OrderStatus,
    PaymentStatus,
    ReturnStatus,
    Review,
)

__all__ = ["AuditRun", "Order", "OrderLine", "OrderReturn", "OrderReturnLine"]


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
    returned_total = models.DecimalField(
        max_digits=14, decimal_places=2, db_default=0, help_text="Given back for its returns."
    )
    address = models.JSONField()
    external_reference = models.CharField(max_length=64, null=True)
    cancel_reason = models.CharField(max_length=60, db_default="")
    saga_id = models.UUIDField(help_text="The run of its checkout.")
    placed_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [
            ("move_order", "Can ship, deliver and cancel orders"),
            ("approve_order", "Can approve orders held for review"),
            ("return_order", "Can take goods back and refund"),
        ]
        indexes = [
            models.Index(fields=["customer_id", "-placed_at", "-id"], name="order_of_customer"),
            models.Index(fields=["-placed_at", "-id"], name="order_newest"),
        ]
        constraints = [
            # Not unique=True: that would keep a second index for LIKE.
            models.UniqueConstraint(fields=["external_reference"], name="order_reference_once"),
            models.CheckConstraint(
                condition=models.Q(total=models.F("goods_total") + models.F("shipping_total")),
                name="order_total_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(returned_total__gte=0, returned_total__lte=models.F("total")),
                name="order_returned_at_most_its_total",
            ),
        ]

    def __str__(self) -> str:
        return self.external_reference or f"Order {self.id.hex[-8:].upper()}"


class OrderLine(models.Model):
    """What was sold, at the price and under the name it had then."""

    # Found by the unique constraint below, which begins with it.
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", db_index=False)
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


class OrderReturn(models.Model):
    """Goods of an order that come back, or money given back without goods (then without lines).

    ``goods_total`` is what its lines were sold for; ``amount``, in the order's currency, what is
    refunded: never more than is left of the captured money.
    """

    id = models.UUIDField(primary_key=True)
    order = models.ForeignKey(Order, models.CASCADE, related_name="returns")
    status = models.CharField(max_length=12, choices=ReturnStatus)
    version = models.IntegerField(default=1)
    reason = models.CharField(max_length=60)
    refusal = models.CharField("refused because", max_length=60, db_default="")
    goods_total = models.DecimalField(max_digits=14, decimal_places=2)
    amount = models.DecimalField("refund", max_digits=14, decimal_places=2)
    asked_by = models.CharField(max_length=80, help_text="Who asked for it: a principal.")
    external_reference = models.CharField(max_length=80, null=True)
    saga_id = models.UUIDField(null=True, help_text="The run that carries it out.")
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "return"
        indexes = [models.Index(fields=["-created_at", "-id"], name="return_newest")]
        constraints = [
            models.UniqueConstraint(fields=["external_reference"], name="return_reference_once"),
            models.CheckConstraint(
                condition=models.Q(amount__gte=0, goods_total__gte=0), name="return_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.external_reference or f"Return {self.id.hex[-8:].upper()}"


class OrderReturnLine(models.Model):
    """Pieces of one line of the order; those that are not fit to be sold are not restocked."""

    order_return = models.ForeignKey(OrderReturn, models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(OrderLine, models.CASCADE, related_name="returned")
    quantity = models.PositiveIntegerField()
    restock = models.BooleanField(default=True, help_text="Fit to be sold again.")

    class Meta:
        verbose_name = "return line"
        constraints = [
            models.UniqueConstraint(
                fields=["order_return", "order_line", "restock"], name="return_names_a_line_once"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=1), name="return_line_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of line {self.order_line_id}"
