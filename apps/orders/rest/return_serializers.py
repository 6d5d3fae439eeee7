"""Bodies of the endpoints about returns, in and out."""

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from apps.common.rest.fields import BooleanField, IntegerField, MoneyField, StringField
from apps.common.rest.serializers import StrictSerializer
from apps.orders.enums import ReturnStatus
from apps.orders.services.placing import MAX_LINES, MAX_QUANTITY
from apps.orders.services.returning import LONGEST_REASON

MOST_POSITION = 2**15 - 1
VERSION = {"min_value": 1, "max_value": 2**31 - 1, "required": False}


class ReturnedLineInput(StrictSerializer):
    position = IntegerField(
        min_value=1, max_value=MOST_POSITION, help_text="Of the order's line; see the order."
    )
    quantity = IntegerField(min_value=1, max_value=MAX_QUANTITY)


class TakenLineInput(ReturnedLineInput):
    restock = BooleanField(
        required=False, default=True, help_text="False: not fit to be sold again."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One piece of the first line",
            value={"lines": [{"position": 1, "quantity": 1}], "reason": "too small"},
            request_only=True,
        )
    ]
)
class RequestReturnInput(StrictSerializer):
    """What I would like to send back."""

    lines = serializers.ListField(child=ReturnedLineInput(), min_length=1, max_length=MAX_LINES)
    reason = StringField(max_length=LONGEST_REASON)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Two pieces, one of them broken",
            value={
                "lines": [
                    {"position": 1, "quantity": 1},
                    {"position": 1, "quantity": 1, "restock": False},
                ],
                "reason": "broken in transit",
                "version": 5,
            },
            request_only=True,
        ),
        OpenApiExample(
            "Money without goods",
            value={
                "amount": {"amount": "5.00", "currency": "GBP"},
                "reason": "arrived late",
                "version": 5,
            },
            request_only=True,
        ),
    ]
)
class ReturnItemsInput(StrictSerializer):
    """Goods that come back, or an amount that is given back without goods."""

    lines = serializers.ListField(
        child=TakenLineInput(), required=False, default=list, max_length=MAX_LINES
    )
    amount = MoneyField(required=False, help_text="Only without lines.")
    reason = StringField(max_length=LONGEST_REASON)
    version = IntegerField(**VERSION, help_text="The order's; or `If-Match`.")


class ApproveReturnInput(StrictSerializer):
    damaged = serializers.ListField(
        child=IntegerField(min_value=1, max_value=MOST_POSITION),
        required=False,
        default=list,
        max_length=MAX_LINES,
        help_text="Positions of lines that are not fit to be sold again.",
    )
    version = IntegerField(**VERSION, help_text="The return's; or `If-Match`.")


class RefuseReturnInput(StrictSerializer):
    reason = StringField(max_length=LONGEST_REASON)
    version = IntegerField(**VERSION, help_text="The return's; or `If-Match`.")


class ReturnAcceptedOutput(serializers.Serializer):
    """The return is on record. Its saga, if it has one yet, refunds and restocks."""

    id = serializers.UUIDField(source="return_id")
    order_id = serializers.UUIDField()
    status = serializers.ChoiceField(ReturnStatus.choices)
    version = serializers.IntegerField()
    amount = MoneyField(help_text="What is refunded.")
    saga_id = serializers.UUIDField(allow_null=True)


class ReturnLineOutput(serializers.Serializer):
    position = serializers.IntegerField()
    product_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    unit_price = MoneyField()
    quantity = serializers.IntegerField()
    restock = serializers.BooleanField()


class ReturnOutput(serializers.Serializer):
    """Goods that come back, or (without lines) money given back; ``version`` grows with each
    change."""

    id = serializers.UUIDField(source="return_id")
    order_id = serializers.UUIDField()
    status = serializers.ChoiceField(ReturnStatus.choices)
    version = serializers.IntegerField()
    reason = serializers.CharField()
    refusal = serializers.CharField(help_text="Why it was refused; else empty.")
    goods_total = MoneyField(help_text="What its lines were sold for.")
    amount = MoneyField(help_text="What is refunded: at most what is left of the payment.")
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    saga_id = serializers.UUIDField(allow_null=True)
    lines = ReturnLineOutput(many=True)
