"""Bodies of the catalogue's writes."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from apps.catalog import selectors
from apps.catalog.checks import MAX_DESCRIPTION
from apps.catalog.stock.moving import MAX_PIECES
from apps.common.errors import InvalidInput
from apps.common.rest.fields import BooleanField, IntegerField, MoneyField, StringField
from apps.common.rest.headers import if_match_version
from apps.common.rest.serializers import StrictSerializer

MAX_VERSION = 2**31 - 1
NEW_PRODUCT = {
    "sku": "KIT-1001",
    "name": "Beech Chopping Board",
    "price": {"amount": "24.00", "currency": "GBP"},
    "category": "kitchen",
    "attributes": {"material": "beech"},
}


class Nothing(StrictSerializer):
    """A body that says nothing: ``{}``, or none at all."""


class ProductFields(StrictSerializer):
    """What staff can set."""

    sku = StringField(max_length=64, required=False)
    slug = StringField(max_length=255, required=False, help_text="Made of name and SKU if absent.")
    name = StringField(max_length=200, required=False)
    description = StringField(max_length=MAX_DESCRIPTION, required=False, allow_blank=True)
    attributes = serializers.DictField(required=False)
    active = BooleanField(required=False, help_text="Whether customers see it.")
    price = MoneyField(min_amount=Decimal(0), required=False)
    category = StringField(
        max_length=120, required=False, allow_null=True, help_text="A category's slug."
    )


@extend_schema_serializer(
    examples=[OpenApiExample("A board", value=NEW_PRODUCT, request_only=True)]
)
class ProductInput(ProductFields):
    sku = StringField(max_length=64)
    name = StringField(max_length=200)
    price = MoneyField(min_amount=Decimal(0))


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Cheaper",
            value={"price": {"amount": "21.50", "currency": "GBP"}, "version": 3},
            request_only=True,
        )
    ]
)
class ProductPatch(ProductFields):
    version = IntegerField(
        min_value=1, max_value=MAX_VERSION, required=False, help_text="Instead of If-Match."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Mugs below Kitchen", value={"name": "Mugs", "parent": "kitchen"}, request_only=True
        )
    ]
)
class CategoryInput(StrictSerializer):
    name = StringField(max_length=100)
    slug = StringField(max_length=120, required=False, help_text="Made of the name if absent.")
    parent = StringField(
        max_length=120, required=False, allow_null=True, help_text="The slug of the one above."
    )


class CategoryPatch(StrictSerializer):
    name = StringField(max_length=100, required=False)
    slug = StringField(max_length=120, required=False)
    parent = StringField(max_length=120, required=False, allow_null=True)
    version = IntegerField(
        min_value=1, max_value=MAX_VERSION, required=False, help_text="Instead of If-Match."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Three broken", value={"delta": -3, "reason": "Broken in the store"}, request_only=True
        )
    ]
)
class AdjustStockInput(StrictSerializer):
    delta = IntegerField(
        min_value=-MAX_PIECES, max_value=MAX_PIECES, help_text="Pieces found (10) or missing (-3)."
    )
    reason = StringField(max_length=200)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new board, and a cheaper one",
            value={
                "items": [
                    NEW_PRODUCT,
                    {"sku": "KIT-1002", "price": {"amount": "35.00", "currency": "GBP"}},
                ]
            },
            request_only=True,
        )
    ]
)
class BulkProductsInput(StrictSerializer):
    """Products by SKU: those there are get the fields given, the others are made."""

    items = serializers.ListField(
        child=serializers.DictField(), min_length=1, max_length=1_000, help_text="See the example."
    )


def expected_version(request: Any, body: dict[str, Any]) -> int:
    """The version a change is based on, from If-Match or (taken out of it) the body.

    Raises ``InvalidInput`` naming ``version`` where there is none, or two that differ.
    """
    header, field = if_match_version(request), body.pop("version", None)
    if header is None and field is None:
        text = "Send If-Match with the ETag you have read, or its version."
        raise InvalidInput.field("version", "required", text)
    if None not in (header, field) and header != field:
        raise InvalidInput.field("version", "invalid", "If-Match has another version.")
    return field if header is None else header


def with_category(body: dict[str, Any], name: str = "category") -> dict[str, Any]:
    """The body with the primary key (``category_id``) of the category it names by its slug.

    Raises ``InvalidInput`` where there is none of that slug.
    """
    changed = dict(body)
    if name not in changed:
        return changed
    slug = changed.pop(name)
    pk = None if slug is None else selectors.category_pk(slug=slug)
    if slug is not None and pk is None:
        raise InvalidInput.field(name, "does_not_exist", "There is no such category.")
    return changed | {f"{name}_id": pk}
