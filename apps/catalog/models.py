"""Products, their prices and their stock. Only ``apps.catalog.stock`` writes the stock tables."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from djmoney.models.fields import MoneyField
from safedelete.managers import (
    SafeDeleteAllManager,
    SafeDeleteDeletedManager,
    SafeDeleteManager,
)

from apps.catalog.caching.querysets import CategoryQuerySet, ProductQuerySet, StockQuerySet
from apps.catalog.engagement.models import SaleNote  # noqa: F401 - Django looks for it here
from apps.catalog.enums import LedgerKind, ReservationStatus
from apps.common.ids import new_id
from apps.common.softdelete import SoftDeleteModel

LIVING = Q(deleted=None)


class Category(SoftDeleteModel):
    """A shelf of the shop; shelves stand in a tree. ``version`` grows with each edit."""

    public_id = models.UUIDField(unique=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=120, db_index=False)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = SafeDeleteManager(CategoryQuerySet)
    all_objects = SafeDeleteAllManager(CategoryQuerySet)
    deleted_objects = SafeDeleteDeletedManager(CategoryQuerySet)

    class Meta:
        verbose_name_plural = "categories"
        permissions = [
            ("restore_category", "Can restore a deleted category"),
            ("purge_category", "Can remove a deleted category for good"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["slug"], condition=LIVING, name="category_slug"),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")), name="category_not_its_own_parent"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Product(SoftDeleteModel):
    """Something the shop sells. ``version`` grows with each edit; stock is not part of it."""

    public_id = models.UUIDField(unique=True, default=new_id, editable=False)
    sku = models.CharField("SKU", max_length=64)
    slug = models.SlugField(max_length=255, db_index=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(default=True)
    price = MoneyField(max_digits=12, decimal_places=2, default_currency="GBP")
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="products"
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    # The last edit of a feed that is in this row: older ones are not written over it.
    feed_epoch = models.BigIntegerField(db_default=0, editable=False)
    feed_counter = models.BigIntegerField(db_default=0, editable=False)

    objects = SafeDeleteManager(ProductQuerySet)
    all_objects = SafeDeleteAllManager(ProductQuerySet)
    deleted_objects = SafeDeleteDeletedManager(ProductQuerySet)

    class Meta:
        permissions = [
            ("restore_product", "Can restore a deleted product"),
            ("purge_product", "Can remove a deleted product for good"),
            ("send_feed", "Can send a feed of prices, attributes and stock"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["sku"], condition=LIVING, name="product_sku"),
            models.UniqueConstraint(fields=["slug"], condition=LIVING, name="product_slug"),
            models.CheckConstraint(condition=Q(price__gte=0), name="product_price_not_negative"),
        ]
        indexes = [
            models.Index(
                fields=["name", "public_id"],
                condition=LIVING & Q(active=True),
                name="product_shelf",
            ),
            models.Index(
                fields=["price", "public_id"],
                condition=LIVING & Q(active=True),
                name="product_by_price",
            ),
            models.Index(
                fields=["created_at", "public_id"],
                condition=LIVING & Q(active=True),
                name="product_by_age",
            ),
            models.Index(
                fields=["category", "name", "public_id"],
                condition=LIVING & Q(active=True),
                name="product_of_category",
            ),
            # The back office lists all of them, deleted ones too.
            models.Index(fields=["name", "id"], name="product_by_name"),
            GinIndex(
                fields=["attributes"], opclasses=["jsonb_path_ops"], name="product_attributes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class PriceChange(models.Model):
    """What a product's price became, and when; its first price has no ``before``. Append-only.

    Written with the price, in one transaction; ``version`` is the product's that has the price.
    """

    product = models.ForeignKey(
        Product, models.PROTECT, db_index=False, related_name="price_changes"
    )
    before = MoneyField(max_digits=12, decimal_places=2, null=True, default_currency=None)
    after = MoneyField(max_digits=12, decimal_places=2, default_currency=None)
    version = models.PositiveIntegerField()
    actor = models.CharField(max_length=100)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["product", "id"], name="price_change_of_product")]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}" if self.before else str(self.after)


class StockItem(models.Model):
    """How many pieces of a product are in the house, and how many of them are promised."""

    product = models.OneToOneField(
        Product, models.PROTECT, primary_key=True, related_name="stock_item"
    )
    on_hand = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)

    objects = StockQuerySet.as_manager()

    class Meta:
        permissions = [("adjust_stock", "Can adjust stock")]
        constraints = [
            models.CheckConstraint(
                condition=Q(reserved__gte=0, reserved__lte=F("on_hand")),
                name="stock_never_oversold",
            )
        ]

    def __str__(self) -> str:
        return f"{self.on_hand} on hand, {self.reserved} reserved"

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


class Reservation(models.Model):
    """Pieces of one product promised to one order, however many lines of it name the product.

    ``expires_at`` is empty for a saga's reservation: only that saga ends it, never the clock. With
    it the pieces are held for a cart; ``order_id`` is then the id that its order would have.
    The row is written under the lock of its stock item, which is never removed; therefore the
    column needs no foreign-key check of its own, one per line of every order.
    """

    order_id = models.UUIDField()
    product = models.ForeignKey(
        Product, models.DO_NOTHING, db_constraint=False, related_name="reservations"
    )
    quantity = models.BigIntegerField()
    status = models.CharField(
        max_length=8, choices=ReservationStatus, db_default=ReservationStatus.LIVE
    )
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(status=ReservationStatus.LIVE, expires_at__isnull=False),
                name="reservation_holds",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["order_id", "product"],
                condition=Q(status=ReservationStatus.LIVE),
                name="reservation_live_once",
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_of_something"),
            models.CheckConstraint(
                condition=Q(status__in=ReservationStatus.values), name="reservation_status"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × product {self.product_id} for {self.order_id}"


class StockLedgerEntry(models.Model):
    """One movement of one product's stock; never changed, never removed (a trigger sees to it).

    The sums of ``delta_on_hand`` and ``delta_reserved`` are the stock item's columns.
    """

    product = models.ForeignKey(
        Product, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="ledger"
    )
    kind = models.CharField(max_length=8, choices=LedgerKind)
    delta_on_hand = models.BigIntegerField()
    delta_reserved = models.BigIntegerField()
    order_id = models.UUIDField(null=True)
    reference = models.CharField(max_length=100)
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=100)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "stock movement"
        verbose_name_plural = "stock ledger"
        indexes = [
            models.Index(fields=["product", "id"], name="ledger_of_product"),
            models.Index(
                fields=["order_id"], condition=Q(order_id__isnull=False), name="ledger_of_order"
            ),
            models.Index(
                fields=["reference", "product"],
                condition=Q(kind=LedgerKind.RECEIVED),
                name="ledger_received",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=LedgerKind.RECEIVED, delta_on_hand__gt=0, delta_reserved=0)
                | Q(kind=LedgerKind.RETURNED, delta_on_hand__gt=0, delta_reserved=0)
                | Q(kind=LedgerKind.RESERVED, delta_on_hand=0, delta_reserved__gt=0)
                | Q(kind=LedgerKind.RELEASED, delta_on_hand=0, delta_reserved__lt=0)
                | Q(kind=LedgerKind.SOLD, delta_on_hand__lt=0, delta_reserved=F("delta_on_hand"))
                | (Q(kind=LedgerKind.ADJUSTED, delta_reserved=0) & ~Q(delta_on_hand=0)),
                name="ledger_signs",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.delta_on_hand:+}/{self.delta_reserved:+}"
