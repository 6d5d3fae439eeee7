"""Bodies of the order endpoints, in and out."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from apps.common.rest.fields import CountryField, IntegerField, MoneyField, StringField, UUIDField
from apps.common.rest.serializers import StrictSerializer
from apps.orders.enums import FulfillmentStatus, OrderStatus, PaymentStatus, Review
from apps.orders.rest.return_serializers import ReturnOutput
from apps.orders.services.placing import ACCOUNT, CARD, MAX_LINES, MAX_QUANTITY
from apps.shipping.contracts import ShipmentStatus


class OrderLineInput(StrictSerializer):
    product_id = UUIDField()
    quantity = IntegerField(min_value=1, max_value=MAX_QUANTITY)


@extend_schema_serializer(component_name="ShippingAddressInput")
class AddressInput(StrictSerializer):
    name = StringField(max_length=200)
    line1 = StringField(max_length=200)
    line2 = StringField(max_length=200, required=False, allow_blank=True, default="")
    city = StringField(max_length=200)
    region = StringField(max_length=200, required=False, allow_blank=True, default="")
    postal_code = StringField(max_length=40, required=False, allow_blank=True, default="")
    country = CountryField(help_text="ISO 3166-1 alpha-2.")


class PaymentInput(StrictSerializer):
    """How an order by card is paid."""

    card_token = StringField(max_length=64, help_text="The card, as the gateway's token for it.")


class PaidAndSentInput(StrictSerializer):
    """How an order is paid, and where it goes."""

    payment_method = serializers.ChoiceField(
        [CARD, ACCOUNT],
        required=False,
        default=CARD,
        help_text="`account`: on account, for customers whom the shop lets; without `payment`.",
    )
    payment = PaymentInput(required=False)
    shipping_address = AddressInput(required=False)
    address_id = UUIDField(required=False, help_text="One of my addresses, instead.")

    def to_internal_value(self, data: Any) -> dict:
        method = data.get("payment_method", CARD) if isinstance(data, Mapping) else CARD
        self.fields["payment"].required = method == CARD
        return super().to_internal_value(data)

    def validate(self, attrs: dict) -> dict:
        errors = {}
        if ("shipping_address" in attrs) == ("address_id" in attrs):
            text = "Give either shipping_address or address_id."
            errors["shipping_address"] = [ErrorDetail(text, code="required")]
        if attrs["payment_method"] != CARD and "payment" in attrs:
            text = "Nothing is paid by card on account."
            errors["payment"] = [ErrorDetail(text, code="not_allowed")]
        if errors:
            raise ValidationError(errors)
        return attrs


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Two mugs to an address",
            value={
                "lines": [{"product_id": "01890a5d-ac96-774b-bcce-b302099a8057", "quantity": 2}],
                "payment": {"card_token": "tok_approve"},
                "shipping_address": {
                    "name": "Ada Lovelace",
                    "line1": "12 St James's Square",
                    "city": "London",
                    "postal_code": "SW1Y 4JH",
                    "country": "GB",
                },
            },
            request_only=True,
        )
    ]
)
class PlaceOrderInput(PaidAndSentInput):
    """What to order. Prices are the catalogue's: there is no field for them."""

    lines = serializers.ListField(child=OrderLineInput(), min_length=1, max_length=MAX_LINES)


class MoveOrderInput(StrictSerializer):
    version = IntegerField(
        min_value=1,
        max_value=2**31 - 1,
        required=False,
        help_text="The version that the decision was made on; or `If-Match`.",
    )


class CancelOrderInput(StrictSerializer):
    reason = StringField(max_length=60, required=False, default="customer_request")
    version = IntegerField(min_value=1, max_value=2**31 - 1, required=False)


class LinksOutput(serializers.Serializer):
    order = serializers.CharField(help_text="Path of the order.")
    saga = serializers.CharField(help_text="Path of the work that is under way.")


class OrderPlacedOutput(serializers.Serializer):
    """The receipt. The order is accepted; its saga tells whether it could be carried out."""

    id = serializers.UUIDField()
    saga_id = serializers.UUIDField()
    status = serializers.ChoiceField(OrderStatus.choices)
    version = serializers.IntegerField()
    total = MoneyField()
    placed_at = serializers.DateTimeField()
    links = LinksOutput()


class CommandAcceptedOutput(serializers.Serializer):
    """The command was taken. Without a saga there was nothing left to do."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(OrderStatus.choices)
    version = serializers.IntegerField()
    saga_id = serializers.UUIDField(allow_null=True)


class OrderLineOutput(serializers.Serializer):
    position = serializers.IntegerField()
    product_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    unit_price = MoneyField()
    quantity = serializers.IntegerField()
    total = MoneyField()


class OrderOutput(serializers.Serializer):
    """An order on its three axes; ``version`` grows with each change."""

    id = serializers.UUIDField(source="order_id")
    status = serializers.ChoiceField(OrderStatus.choices)
    payment_status = serializers.ChoiceField(PaymentStatus.choices)
    fulfillment_status = serializers.ChoiceField(FulfillmentStatus.choices)
    review = serializers.ChoiceField(Review.choices, help_text="`held`: staff look at it first.")
    version = serializers.IntegerField()
    goods_total = MoneyField()
    shipping_total = MoneyField()
    total = MoneyField()
    returned_total = MoneyField(help_text="Given back for its returns.")
    placed_at = serializers.DateTimeField()
    cancel_reason = serializers.CharField(help_text="Machine-readable; empty if not cancelled.")
    shipping_address = serializers.DictField(source="address", child=serializers.CharField())
    lines = OrderLineOutput(many=True)
    saga_id = serializers.UUIDField()


class PaymentEntryOutput(serializers.Serializer):
    """A movement of the order's money, or the attempt of one."""

    operation = serializers.ChoiceField(["authorization", "capture", "void", "refund"])
    state = serializers.ChoiceField(["requested", "succeeded", "failed", "unknown"])
    amount = MoneyField()
    code = serializers.CharField(help_text="Why it failed; else empty.")
    at = serializers.DateTimeField(source="created_at")


class ShipmentOutput(serializers.Serializer):
    id = serializers.UUIDField(source="shipment_id")
    status = serializers.ChoiceField([(one.value, one.value) for one in ShipmentStatus])
    tracking_number = serializers.CharField()
    scheduled_at = serializers.DateTimeField()
    dispatched_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)


class MomentOutput(serializers.Serializer):
    """Something that happened to the order."""

    at = serializers.DateTimeField()
    source = serializers.ChoiceField(["order", "payment", "shipment"])
    title = serializers.CharField()
    state = serializers.CharField()


class StaffMomentOutput(MomentOutput):
    """Something that happened to the order, with what only staff may know."""

    source = serializers.ChoiceField(["order", "saga", "payment", "stock", "shipment", "staff"])
    detail = serializers.CharField()
    who = serializers.CharField(help_text="The member of staff, if it was one.")


class OrderDetailOutput(OrderOutput):
    """An order with its money, its parcel and what happened to it, oldest first."""

    payments = PaymentEntryOutput(many=True)
    shipments = ShipmentOutput(many=True)
    returns = ReturnOutput(many=True)
    timeline = MomentOutput(many=True)


class StaffOrderOutput(OrderOutput):
    """An order as staff see it in a list."""

    customer_id = serializers.UUIDField()
    external_reference = serializers.CharField(allow_null=True)


class StaffOrderDetailOutput(StaffOrderOutput):
    """All there is to know of an order."""

    payments = PaymentEntryOutput(many=True)
    shipments = ShipmentOutput(many=True)
    returns = ReturnOutput(many=True)
    timeline = StaffMomentOutput(many=True)


class SagaStepOutput(serializers.Serializer):
    name = serializers.CharField()
    direction = serializers.ChoiceField(["forward", "compensation"])
    status = serializers.CharField()
    attempts = serializers.IntegerField()
    error_code = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class SagaOutput(serializers.Serializer):
    """How far the work behind an order is."""

    id = serializers.UUIDField(source="run_id")
    kind = serializers.CharField()
    order_id = serializers.UUIDField(source="business_key")
    status = serializers.CharField()
    step = serializers.CharField(help_text="The step it stands at.")
    error_code = serializers.CharField(help_text="Why it turned back, if it did.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    steps = SagaStepOutput(many=True)
