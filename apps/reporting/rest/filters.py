"""What lists of the read model can be narrowed by."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.common.rest.filters import MomentFilter
from apps.reporting import selectors
from apps.reporting.enums import Dimension, OrderStatus

ISO_DATE = ["%Y-%m-%d"]


class OrderViewFilter(filters.FilterSet):
    q = filters.CharFilter(
        method="matching",
        max_length=100,
        help_text="An order's or customer's id, or beginnings of words of the products' names and "
        "SKUs or of the customer's name, or the beginning of the e-mail address.",
    )
    customer_id = filters.UUIDFilter()
    status = filters.ChoiceFilter(choices=OrderStatus.choices)
    placed_after = MomentFilter(
        field_name="placed_at", lookup_expr="gte", help_text="At this moment or later."
    )
    placed_before = MomentFilter(
        field_name="placed_at", lookup_expr="lt", help_text="Before this moment."
    )

    def matching(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return selectors.matching(queryset, value)


class DailySalesFilter(filters.FilterSet):
    by = filters.ChoiceFilter(
        field_name="dimension",
        choices=[(one.value, one.value) for one in Dimension],
        help_text="What is told apart; by default products.",
    )
    key = filters.CharFilter(
        max_length=36, help_text="One product's or category's id, or a country's code."
    )

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        self.form.cleaned_data["by"] = self.form.cleaned_data["by"] or Dimension.PRODUCT.value
        return super().filter_queryset(queryset)


# Their names are words of Python's own.
DailySalesFilter.base_filters |= {
    "from": filters.DateFilter(
        "day", "gte", input_formats=ISO_DATE, help_text="This day (UTC) or later."
    ),
    "to": filters.DateFilter(
        "day", "lte", input_formats=ISO_DATE, help_text="This day (UTC) or earlier."
    ),
}
