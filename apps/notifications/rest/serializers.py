"""The shapes of preferences in the API."""

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from apps.common.rest.fields import BooleanField
from apps.common.rest.serializers import StrictSerializer

ALL = {
    "order_confirmed": True,
    "order_shipped": True,
    "order_cancelled": True,
    "order_refunded": True,
}


@extend_schema_serializer(
    examples=[OpenApiExample("All", ALL | {"version": 1}, response_only=True)]
)
class PreferencesSerializer(serializers.Serializer):
    """Which mails I get besides those about my account."""

    order_confirmed = serializers.BooleanField()
    order_shipped = serializers.BooleanField()
    order_cancelled = serializers.BooleanField()
    order_refunded = serializers.BooleanField()
    version = serializers.IntegerField(min_value=1, help_text="Counts the changes; the ETag.")


@extend_schema_serializer(
    examples=[
        OpenApiExample("No mail when it is sent", {"order_shipped": False}, request_only=True)
    ]
)
class PreferencesChange(StrictSerializer):
    """The kinds to change."""

    order_confirmed = BooleanField(required=False)
    order_shipped = BooleanField(required=False)
    order_cancelled = BooleanField(required=False)
    order_refunded = BooleanField(required=False)
