"""What the list of products can be narrowed by."""

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters

from apps.catalog import selectors


class ProductFilter(filters.FilterSet):
    search = filters.CharFilter(
        method="matching", max_length=100, help_text="Part of the name or of the SKU."
    )
    category = filters.CharFilter(
        method="below", max_length=120, help_text="A category's slug; those below it count too."
    )
    in_stock = filters.ChoiceFilter(
        method="stocked", choices=[("true", "true"), ("false", "false")]
    )

    def matching(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(Q(name__icontains=value) | Q(sku__icontains=value))

    def below(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(category_id__in=selectors.category_subtree(slug=value))

    def stocked(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(**{"available__gt" if value == "true" else "available__lte": 0})
