"""Bodies of the cart's endpoints, in and out."""

from rest_framework import serializers

from apps.common.rest.fields import IntegerField, MoneyField
from apps.common.rest.serializers import StrictSerializer
from apps.orders.cart.contracts import MAX_QUANTITY
from apps.orders.rest.serializers import PaidAndSentInput


class Nothing(StrictSerializer):
    """A body that says nothing: ``{}``, or none at all."""


class SetItemInput(StrictSerializer):
    quantity = IntegerField(min_value=1, max_value=MAX_QUANTITY, help_text="Pieces in all.")


class AddItemInput(StrictSerializer):
    add = IntegerField(
        min_value=-MAX_QUANTITY,
        max_value=MAX_QUANTITY,
        required=False,
        default=1,
        help_text="Pieces more than now, or fewer; with none left the item goes.",
    )


class CheckoutInput(PaidAndSentInput):
    """How what is in the cart is paid, and where it goes."""


class CartItemOutput(serializers.Serializer):
    """Price and stock as they are now: hints, since the order asks anew."""

    product_id = serializers.UUIDField()
    quantity = serializers.IntegerField()
    for_sale = serializers.BooleanField(help_text="If false, it must go before checkout.")
    sku = serializers.CharField()
    name = serializers.CharField()
    unit_price = MoneyField(allow_null=True)
    total = MoneyField(allow_null=True)
    available = serializers.IntegerField(help_text="What this cart could have, `held` included.")
    held = serializers.IntegerField(help_text="Pieces that nobody else can have for now.")


class CartOutput(serializers.Serializer):
    """A cart; `version` grows with each change and is 0 without one."""

    version = serializers.IntegerField()
    items = CartItemOutput(many=True)
    total = MoneyField(allow_null=True, help_text="Null for several currencies, or nothing.")
    held_until = serializers.DateTimeField(allow_null=True)
