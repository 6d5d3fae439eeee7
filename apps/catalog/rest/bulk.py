"""Many products at once over HTTP, each with a result of its own."""

from collections import Counter
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog import facade
from apps.catalog.contracts import BulkError, BulkItem, BulkOutcome, UpsertProducts
from apps.catalog.rest.inputs import MAX_VERSION, BulkProductsInput, ProductFields
from apps.common.rest.fields import IntegerField, StringField
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import idempotency_key
from apps.common.rest.permissions import staff_with
from apps.common.rest.problems import flatten
from apps.common.rest.schema import IDEMPOTENCY_KEY
from apps.common.rest.serializers import validated


class BulkProduct(ProductFields):
    """One item: the fields of a product, by its SKU."""

    sku = StringField(max_length=64)
    version = IntegerField(min_value=1, max_value=MAX_VERSION, required=False)


class BulkErrorOutput(serializers.Serializer):
    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class BulkResultOutput(serializers.Serializer):
    index = serializers.IntegerField(help_text="The item's place in the request, from 0.")
    sku = serializers.CharField()
    result = serializers.ChoiceField([one.value for one in BulkOutcome])
    id = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    errors = BulkErrorOutput(many=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One new, one wrong",
            value={
                "created": 1,
                "updated": 0,
                "unchanged": 0,
                "error": 1,
                "results": [
                    {
                        "index": 0,
                        "sku": "KIT-1001",
                        "result": "created",
                        "id": "01890a5d-ac96-774b-bcce-b302099a8057",
                        "version": 1,
                        "errors": [],
                    },
                    {
                        "index": 1,
                        "sku": "KIT-1002",
                        "result": "error",
                        "id": None,
                        "version": None,
                        "errors": [
                            {
                                "field": "name",
                                "code": "required",
                                "detail": "A new product needs it.",
                            }
                        ],
                    },
                ],
            },
        )
    ]
)
class BulkOutput(serializers.Serializer):
    """How many items ended how, and each one's result in the order of the request."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    error = serializers.IntegerField()
    results = BulkResultOutput(many=True)


class BulkProducts(APIView):
    permission_classes = (staff_with("catalog.add_product", "catalog.change_product"),)

    @extend_schema(
        operation_id="products_bulk_upsert",
        tags=["products"],
        summary="Make or change up to 1,000 products",
        description="By SKU: a product there is gets the fields given and keeps the others, a new "
        "one needs `name` and `price`. `version` makes a change conditional. Each item ends by "
        "itself as `created`, `updated`, `unchanged` or `error`, and a bad one hurts no other. "
        "Fields: `sku`, `slug`, `name`, `description`, `attributes`, `active`, `price`, "
        "`category` (a slug, or null for none), `version`.",
        parameters=[IDEMPOTENCY_KEY],
        request=BulkProductsInput,
        responses=BulkOutput,
    )
    def post(self, request: Request) -> Response:
        refuse_unknown_parameters(request)
        key = idempotency_key(request)
        body = validated(BulkProductsInput, request)
        report = facade.upsert_products(
            UpsertProducts(
                key=key,
                principal=f"staff:{request.user.public_id}",
                items=tuple(_item(one) for one in body["items"]),
            )
        )
        counts = Counter(one.result for one in report.results)
        totals = {outcome.value: counts[outcome] for outcome in BulkOutcome}
        return Response(BulkOutput(totals | {"results": report.results}).data)


def _item(data: dict[str, Any]) -> BulkItem:
    serializer = BulkProduct(data=data)
    if not serializer.is_valid():
        sku = data.get("sku")
        errors = [BulkError(one.field, one.code, one.detail) for one in flatten(serializer.errors)]
        return BulkItem(sku[:64] if isinstance(sku, str) else "", {}, errors=tuple(errors))
    values = dict(serializer.validated_data)
    return BulkItem(
        sku=values.pop("sku"),
        price=values.pop("price", None),
        version=values.pop("version", None),
        values=values,
    )
