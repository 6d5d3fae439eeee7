"""How the catalogue looks from outside."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from apps.catalog.enums import LedgerKind
from apps.catalog.models import Category, Product
from apps.common.rest.fields import MoneyField

PRODUCT_EXAMPLE = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "sku": "KIT-1001",
    "slug": "beech-chopping-board-kit-1001",
    "name": "Beech Chopping Board",
    "description": "A board of steamed beech with a juice groove on one side.",
    "attributes": {"material": "beech", "size_cm": [40, 28, 2.4]},
    "price": {"amount": "24.00", "currency": "GBP"},
    "category": {
        "id": "01890a5d-ac96-774b-bcce-b302099a8058",
        "slug": "kitchen",
        "name": "Kitchen",
    },
    "availability": {"in_stock": True, "quantity": 80},
    "active": True,
    "version": 3,
    "created_at": "2026-11-20T08:51:00Z",
    "updated_at": "2026-11-20T09:12:00Z",
    "deleted_at": None,
}


class CategoryRef(serializers.Serializer):
    id = serializers.UUIDField(source="public_id")
    slug = serializers.CharField()
    name = serializers.CharField()


class AvailabilityRef(serializers.Serializer):
    in_stock = serializers.BooleanField()
    quantity = serializers.IntegerField(help_text="Pieces that are not promised to an order.")


@extend_schema_serializer(examples=[OpenApiExample("A board", value=PRODUCT_EXAMPLE)])
class ProductSerializer(serializers.Serializer):
    """A product; ``availability`` is a hint, only an order's reservation is a promise.

    With ``fields`` only the fields named there are sent.
    """

    id = serializers.UUIDField(source="public_id")
    sku = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    attributes = serializers.DictField()
    price = MoneyField()
    category = CategoryRef(allow_null=True)
    availability = serializers.SerializerMethodField()
    active = serializers.BooleanField(help_text="Whether customers see it.")
    version = serializers.IntegerField(help_text="Grows with each edit; send it with changes.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    deleted_at = serializers.DateTimeField(source="deleted", allow_null=True)

    @extend_schema_field(AvailabilityRef)
    def get_availability(self, product: Product) -> dict[str, Any]:
        return {"in_stock": product.available > 0, "quantity": product.available}


PRODUCT_FIELDS = tuple(ProductSerializer().fields)


def product_data(product: Product, only: Iterable[str] = ()) -> dict[str, Any]:
    """The product as it is sent, or just these fields of it."""
    data = ProductSerializer(product).data
    return {name: data[name] for name in only} if only else data


class CategoryOutput(serializers.Serializer):
    """A shelf of the shop."""

    id = serializers.UUIDField(source="public_id")
    slug = serializers.CharField()
    name = serializers.CharField()
    parent = CategoryRef(allow_null=True)
    version = serializers.IntegerField()
    deleted_at = serializers.DateTimeField(source="deleted", allow_null=True)


class CategoryNode(serializers.Serializer):
    """A shelf with the shelves on it."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    children = serializers.SerializerMethodField()

    @extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/CategoryNode"}})
    def get_children(self, node: Any) -> list[Any]:
        return node["children"]


class CategoryTree(serializers.Serializer):
    results = CategoryNode(many=True)


def tree_data(categories: Iterable[Category]) -> dict[str, Any]:
    """The categories as a tree; one whose parent is not among them stands at the top."""
    nodes = {
        one.pk: {
            "id": one.public_id,
            "slug": one.slug,
            "name": one.name,
            "version": one.version,
            "children": [],
        }
        for one in categories
    }
    top: list[dict[str, Any]] = []
    for one in categories:
        above = nodes.get(one.parent_id)
        (above["children"] if above else top).append(nodes[one.pk])
    return {"results": top}


class PriceChangeOutput(serializers.Serializer):
    """What a product's price became; the first one has no ``before``."""

    before = MoneyField(allow_null=True)
    after = MoneyField()
    version = serializers.IntegerField(help_text="The product's version that has the price.")
    actor = serializers.CharField(help_text="staff:<id>, import, opening or system.")
    created_at = serializers.DateTimeField()


class StockOutput(serializers.Serializer):
    product_id = serializers.UUIDField()
    on_hand = serializers.IntegerField(help_text="Pieces in the house.")
    reserved = serializers.IntegerField(help_text="Of them promised to orders.")
    available = serializers.IntegerField()


class StockMovementOutput(serializers.Serializer):
    kind = serializers.ChoiceField(LedgerKind.choices)
    delta_on_hand = serializers.IntegerField()
    delta_reserved = serializers.IntegerField()
    order_id = serializers.UUIDField(allow_null=True)
    reference = serializers.CharField()
    reason = serializers.CharField()
    actor = serializers.CharField()
    created_at = serializers.DateTimeField()
