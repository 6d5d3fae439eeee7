"""The shop's own tables, on a copy of its catalogue."""

from django.db import models


class Category(models.Model):
    public_id = models.UUIDField()
    slug = models.CharField(max_length=120)
    name = models.CharField(max_length=100)

    class Meta:
        app_label, managed, db_table = "peers", False, "catalog_category"


class Product(models.Model):
    public_id = models.UUIDField(unique=True)
    sku = models.CharField(max_length=64)
    slug = models.CharField(max_length=255)
    name = models.CharField(max_length=200)
    description = models.TextField()
    attributes = models.JSONField()
    active = models.BooleanField()
    price = models.DecimalField(max_digits=12, decimal_places=2)
    price_currency = models.CharField(max_length=3)
    category = models.ForeignKey(Category, models.DO_NOTHING, null=True)
    version = models.IntegerField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted = models.DateTimeField(null=True)

    class Meta:
        app_label, managed, db_table = "peers", False, "catalog_product"


class StockItem(models.Model):
    product = models.OneToOneField(
        Product, models.DO_NOTHING, primary_key=True, related_name="stock_item"
    )
    on_hand = models.BigIntegerField()
    reserved = models.BigIntegerField()

    class Meta:
        app_label, managed, db_table = "peers", False, "catalog_stockitem"
