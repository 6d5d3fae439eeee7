"""What the read model's answers look like."""

from rest_framework import serializers

from apps.common.rest.fields import MoneyField
from apps.reporting.enums import Dimension, OrderStatus


class OrderViewOutput(serializers.Serializer):
    """An order as the read model has it: seconds behind the order itself at most, usually less."""

    id = serializers.UUIDField()
    customer_id = serializers.UUIDField()
    customer_name = serializers.CharField()
    customer_email = serializers.CharField()
    status = serializers.ChoiceField(OrderStatus.choices)
    payment_status = serializers.CharField()
    fulfillment_status = serializers.CharField()
    status_display = serializers.CharField(help_text="All of that in words.")
    item_count = serializers.IntegerField(help_text="Pieces in all.")
    product_names = serializers.ListField(child=serializers.CharField())
    subtotal = MoneyField()
    shipping = MoneyField()
    total = MoneyField()
    refunded = MoneyField(help_text="Given back for returns.")
    country = serializers.CharField(help_text="Where it goes.")
    placed_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(help_text="When its last event happened.")
    version = serializers.IntegerField(help_text="The order's, as far as it was told.")


class OrderViewLineOutput(serializers.Serializer):
    position = serializers.IntegerField()
    product_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    unit_price = MoneyField()
    quantity = serializers.IntegerField()
    total = MoneyField()


class OrderViewDetailOutput(OrderViewOutput):
    """The order with its lines."""

    lines = OrderViewLineOutput(many=True)


class NotYetOutput(serializers.Serializer):
    """The read model has not got that far; ask again after `Retry-After`."""

    id = serializers.UUIDField()
    version = serializers.IntegerField(help_text="The one it has; 0 for nothing yet.")
    min_version = serializers.IntegerField(help_text="The one that was asked for.")


class DailySalesOutput(serializers.Serializer):
    """What was sold on a day (UTC) and not cancelled since, less what was given back. Shipping,
    and money back without goods, stand under an empty `key`: so each `by` has the same sums."""

    day = serializers.DateField()
    by = serializers.ChoiceField([(one.value, one.value) for one in Dimension])
    key = serializers.CharField(help_text="The product's or category's id, the country's code.")
    name = serializers.CharField()
    orders = serializers.IntegerField()
    pieces = serializers.IntegerField()
    revenue = MoneyField()
    refunds = MoneyField()
    net = MoneyField()
