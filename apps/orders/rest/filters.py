"""What lists of orders can be narrowed by."""

from django_filters import rest_framework as filters

from apps.common.rest.filters import MomentFilter
from apps.orders.enums import (
    FulfillmentStatus,
    OrderStatus,
    PaymentStatus,
    ReturnStatus,
    Review,
)


class OrderFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=OrderStatus.choices)
    payment_status = filters.ChoiceFilter(choices=PaymentStatus.choices)
    fulfillment_status = filters.ChoiceFilter(choices=FulfillmentStatus.choices)
    placed_after = MomentFilter(
        field_name="placed_at", lookup_expr="gte", help_text="At this moment or later."
    )
    placed_before = MomentFilter(
        field_name="placed_at", lookup_expr="lt", help_text="Before this moment."
    )


class StaffOrderFilter(OrderFilter):
    review = filters.ChoiceFilter(choices=Review.choices)
    customer_id = filters.UUIDFilter()
    external_reference = filters.CharFilter(max_length=64)


class ReturnFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=ReturnStatus.choices)
    order_id = filters.UUIDFilter()
