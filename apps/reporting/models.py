"""The read model: what is asked often about orders, as the events of other apps told it.

Only ``apps.reporting.projecting`` writes these tables. No column refers to a row of another
database, and every row can be completed in whatever order its events arrive: ``…_version`` columns
hold the version of the source's last event that the columns beside them are from.
"""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

from apps.reporting.enums import SOLD, Dimension, OrderStatus

IS_SOLD = Q(status__in=SOLD, placed_at__isnull=False)
FULLY_BACK = Q(payment_state="partially_refunded", refunded__gte=F("total"))
SENT_BACK = Q(status__in=("shipped", "delivered"), refunded__gt=0)


def words(*cases: tuple[Q, str], default: str) -> Case:
    """The text of the first case that holds."""
    whens = [When(condition, then=Value(text)) for condition, text in cases]
    return Case(*whens, default=Value(default), output_field=models.CharField())


class OrderView(models.Model):
    """An order, ready to be listed. Until ``order.placed`` has arrived ``placed_at`` is empty and
    nobody is shown the row. Amounts are in ``currency``."""

    order_id = models.UUIDField(primary_key=True)
    customer_id = models.UUIDField(null=True)
    customer_name = models.CharField(max_length=255, db_default="")
    customer_email = models.CharField(max_length=254, db_default="")
    status = models.CharField(
        max_length=10, choices=OrderStatus, db_default=OrderStatus.PENDING.value
    )
    payment_state = models.CharField(max_length=20, db_default="not_paid", editable=False)
    fulfillment_status = models.CharField(max_length=15, db_default="not_fulfilled")
    currency = models.CharField(max_length=3, db_default="")
    country = models.CharField(max_length=2, db_default="")
    item_count = models.BigIntegerField(db_default=0, help_text="Pieces in all.")
    subtotal = models.DecimalField(max_digits=14, decimal_places=2, db_default=0)
    shipping = models.DecimalField(max_digits=14, decimal_places=2, db_default=0)
    total = models.DecimalField(max_digits=14, decimal_places=2, db_default=0)
    refunded = models.DecimalField(
        max_digits=14, decimal_places=2, db_default=0, help_text="Given back for returns."
    )
    placed_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(help_text="When its last event happened.")
    order_version = models.BigIntegerField(db_default=0)
    status_version = models.BigIntegerField(db_default=0, editable=False)
    refunded_version = models.BigIntegerField(db_default=0, editable=False)
    payment_version = models.BigIntegerField(db_default=0)
    shipment_version = models.BigIntegerField(db_default=0)
    sold = models.GeneratedField(
        expression=Case(
            When(IS_SOLD, then=Value(True)),
            default=Value(False),
            output_field=models.BooleanField(),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    # Parts of the money may add up to all of it; the ledger's events tell each part by itself.
    payment_status = models.GeneratedField(
        expression=Case(
            When(FULLY_BACK, then=Value("refunded")),
            default=F("payment_state"),
            output_field=models.CharField(max_length=20),
        ),
        output_field=models.CharField(max_length=20),
        db_persist=True,
    )
    status_display = models.GeneratedField(
        expression=words(
            (Q(status="cancelled", payment_state="refunded"), "Cancelled, refunded"),
            (Q(status="cancelled", payment_state="declined"), "Cancelled, payment declined"),
            (Q(status="cancelled"), "Cancelled"),
            (SENT_BACK & Q(refunded__gte=F("total")), "Returned, refunded"),
            (SENT_BACK & Q(status="delivered"), "Delivered, partly refunded"),
            (SENT_BACK, "On its way, partly refunded"),
            (Q(status="delivered"), "Delivered"),
            (Q(status="shipped"), "On its way"),
            (Q(status="confirmed"), "Confirmed, to be sent"),
            default="Being processed",
        ),
        output_field=models.CharField(max_length=40),
        db_persist=True,
    )

    class Meta:
        verbose_name = "order view"
        indexes = [
            models.Index(fields=["-placed_at", "-order_id"], name="order_view_newest"),
            models.Index(
                fields=["customer_id", "-placed_at", "-order_id"], name="order_view_of_customer"
            ),
            models.Index(fields=["status", "-placed_at", "-order_id"], name="order_view_status"),
        ]

    def __str__(self) -> str:
        return f"Order {self.order_id.hex[-8:].upper()}"


class OrderViewLine(models.Model):
    """A line as it was sold; its category is the one where the product stands now."""

    # No foreign key: lines may be there before anything else of the order, and are never checked.
    order_id = models.UUIDField()
    position = models.PositiveIntegerField()
    product_id = models.UUIDField()
    sku = models.CharField("SKU", max_length=64)
    name = models.CharField(max_length=255)
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
    quantity = models.BigIntegerField()
    category_id = models.UUIDField(null=True)

    class Meta:
        verbose_name = "order view line"
        indexes = [
            models.Index(fields=["product_id"], name="order_view_line_product"),
            GinIndex(SearchVector("sku", "name", config="simple"), name="order_view_line_words"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["order_id", "position"], name="order_view_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"


class OrderViewRefund(models.Model):
    """Money given back for a return; ``lines`` say for which goods:
    ``[{"product_id": …, "value": "8.40"}]``, by what they were sold for."""

    return_id = models.UUIDField(primary_key=True)
    order_id = models.UUIDField(db_index=True)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    lines = models.JSONField()

    class Meta:
        verbose_name = "order view refund"

    def __str__(self) -> str:
        return f"{self.amount}"


class CustomerName(models.Model):
    """Who a customer is, for their orders' rows."""

    customer_id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=255)
    email = models.CharField(max_length=254)
    version = models.BigIntegerField()

    class Meta:
        verbose_name = "customer's name"
        verbose_name_plural = "customers' names"
        indexes = [
            GinIndex(SearchVector("name", config="simple"), name="customer_name_words"),
            models.Index(
                fields=["email"], opclasses=["text_pattern_ops"], name="customer_name_email"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProductName(models.Model):
    """What a product is called, and where it stands."""

    product_id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=255)
    sku = models.CharField("SKU", max_length=64)
    category_id = models.UUIDField(null=True)
    version = models.BigIntegerField()

    class Meta:
        verbose_name = "product's name"
        verbose_name_plural = "products' names"

    def __str__(self) -> str:
        return self.name


class CategoryName(models.Model):
    """What a category is called."""

    category_id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=255)
    version = models.BigIntegerField()

    class Meta:
        verbose_name = "category's name"
        verbose_name_plural = "categories' names"

    def __str__(self) -> str:
        return self.name


NOTHING = Q(orders=0, pieces=0, revenue=0, refunds=0)


class DailySales(models.Model):
    """What was sold on a day (UTC, when the order was placed) in one currency, along one dimension.

    ``key`` is a product's or category's id or a country's code. What belongs to no product is
    under the key ``""``, so that every dimension of a day has the same sums.
    """

    day = models.DateField()
    currency = models.CharField(max_length=3)
    dimension = models.CharField(max_length=8, choices=Dimension)
    key = models.CharField(max_length=36)
    orders = models.BigIntegerField()
    pieces = models.BigIntegerField()
    revenue = models.DecimalField(max_digits=18, decimal_places=2)
    refunds = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        verbose_name = "daily sales"
        verbose_name_plural = "daily sales"
        indexes = [
            # Always empty at the end of a batch: where the cells are that nothing is left of.
            models.Index(fields=["id"], condition=NOTHING, name="daily_sales_nothing")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dimension", "day", "currency", "key"], name="daily_sales_cell"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.dimension} {self.key}"


class Projection(models.Model):
    """How far the read model is: one row, which every batch updates."""

    name = models.CharField(primary_key=True, max_length=40)
    applied = models.BigIntegerField(db_default=0, help_text="Events since it was set up.")
    last_event_at = models.DateTimeField(null=True, help_text="When the newest of them happened.")
    applied_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(
        null=True, help_text="When the last heartbeat that arrived was sent."
    )

    class Meta:
        verbose_name = "projection"

    def __str__(self) -> str:
        return self.name


class ProjectionRebuild(models.Model):
    """A rebuild of the read model from the log of all events, and what it found to differ."""

    class State(models.TextChoices):
        RUNNING = "running"
        SWAPPED = "swapped"
        ABANDONED = "abandoned"

    projection = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State, db_default=State.RUNNING.value)
    position = models.BigIntegerField(db_default=0, help_text="In the log of events.")
    events = models.BigIntegerField(db_default=0)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    differences = models.JSONField(default=dict)

    class Meta:
        verbose_name = "projection rebuild"
        constraints = [
            models.UniqueConstraint(
                fields=["projection"],
                condition=Q(state="running"),
                name="projection_rebuild_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.projection}, {self.started_at:%d %b %Y %H:%M}"
