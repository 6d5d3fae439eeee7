"""How products look from outside."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.common.rest.fields import MoneyField


class CategoryRef(serializers.Serializer):
    slug = serializers.CharField()
    name = serializers.CharField()


class AvailabilityRef(serializers.Serializer):
    in_stock = serializers.BooleanField()
    quantity = serializers.IntegerField(help_text="Pieces that are not promised to an order.")


class ProductSerializer(serializers.Serializer):
    """A product for sale; ``availability`` is a hint, only an order's reservation is a promise."""

    id = serializers.UUIDField(source="public_id")
    sku = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    attributes = serializers.DictField()
    price = MoneyField()
    category = CategoryRef(allow_null=True)
    availability = serializers.SerializerMethodField()
    version = serializers.IntegerField()
    updated_at = serializers.DateTimeField()

    @extend_schema_field(AvailabilityRef)
    def get_availability(self, product) -> dict:
        return {"in_stock": product.available > 0, "quantity": product.available}
