"""What the list of products can be narrowed by."""

from django.conf import settings
from django.db.models import F, QuerySet
from django.http import QueryDict
from django_filters import rest_framework as filters

from apps.catalog import attributes, searching, selectors
from apps.common.errors import InvalidInput

CURRENCIES = [(code, code) for code in settings.CURRENCIES]


class ProductFilter(filters.FilterSet):
    search = filters.CharFilter(
        method="matching",
        max_length=100,
        help_text="Every word must be in the name, the SKU or the description.",
    )
    category = filters.CharFilter(
        method="below", max_length=120, help_text="A category's slug; those below it count too."
    )
    min_price = filters.NumberFilter(
        "price", "gte", min_value=0, max_digits=12, decimal_places=2, help_text="At least, e.g. 5."
    )
    max_price = filters.NumberFilter(
        "price", "lte", min_value=0, max_digits=12, decimal_places=2, help_text="At most."
    )
    currency = filters.ChoiceFilter(
        field_name="price_currency",
        choices=CURRENCIES,
        help_text="Prices in this currency only; the shop's own where min_price or max_price is "
        "given without it.",
    )
    in_stock = filters.ChoiceFilter(
        method="stocked",
        choices=[("true", "true"), ("false", "false")],
        help_text="Whether something is left that is not promised to an order.",
    )

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        given = self.form.cleaned_data
        if (given["min_price"] or given["max_price"]) is not None and not given["currency"]:
            queryset = queryset.filter(price_currency=settings.DEFAULT_CURRENCY)
        return with_attributes(super().filter_queryset(queryset), self.data)

    def matching(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(searching.matching(value))

    def below(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(category_id__in=selectors.category_subtree(slug=value))

    def stocked(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        reserved = F("stock_item__reserved")
        if value == "true":
            return queryset.filter(stock_item__on_hand__gt=reserved)
        return queryset.filter(selectors.sold_out())


def attribute_parameters(query: QueryDict) -> list[str]:
    """The query's parameters about attributes, such as ``attributes.material``."""
    return [name for name in query if name.startswith(attributes.PREFIX)]


def with_attributes(queryset: QuerySet, query: QueryDict) -> QuerySet:
    """Products that match every such parameter; one given twice matches either value."""
    names = attribute_parameters(query)
    if sum(len(query.getlist(name)) for name in names) > attributes.MAX_FILTERS:
        text = f"At most {attributes.MAX_FILTERS} of these filters at once."
        raise InvalidInput.field("attributes", "max_length", text)
    for name in names:
        condition = attributes.having(name.removeprefix(attributes.PREFIX), query.getlist(name))
        queryset = queryset.filter(condition)
    return queryset
