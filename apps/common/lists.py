"""Lists of tables with many rows: counted only as far as people page, searched by their indexes."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet, UUIDField
from django.http import HttpRequest
from django.utils.functional import cached_property

MOST_COUNTED = 10_000
MOST_PARENTS = 100


class ShortCount(Paginator):
    """Counts up to ``MOST_COUNTED`` rows and shows no page beyond them: counting a whole table
    takes as long as reading it, and nobody turns two hundred pages."""

    template_name = "admin/short_count.html"

    @cached_property
    def found(self) -> int:
        """How many rows there are; ``MOST_COUNTED + 1`` stands for more than can be counted."""
        if not isinstance(self.object_list, QuerySet):
            return len(self.object_list)
        return self.object_list.order_by()[: MOST_COUNTED + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self.found, MOST_COUNTED)

    @property
    def has_more(self) -> bool:
        """Whether some rows can only be reached by a narrower search."""
        return self.found > MOST_COUNTED


class FoundThroughParent:
    """Rows that are also found by what they belong to, for ``PageAdmin``.

    A condition over two tables can use the index of neither; so ``search_parent``'s rows are
    looked up first, by its columns ``search_parent_fields`` (exactly), and the list shows what
    belongs to them. A term that finds no parent is looked for in ``search_fields``.
    """

    search_parent = ""
    search_parent_fields: tuple[str, ...] = ()

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str):
        if parents := self._parents(search_term.strip()):
            return queryset.filter(**{f"{self.search_parent}__in": parents}), False
        return super().get_search_results(request, queryset, search_term)

    def _parents(self, term: str) -> list[Any]:
        model = self.model._meta.get_field(self.search_parent).related_model
        wanted = Q()
        for name in self.search_parent_fields:
            if is_uuid(term) or not isinstance(model._meta.get_field(name), UUIDField):
                wanted |= Q(**{name: term})
        if not term or "\x00" in term or not wanted:
            return []
        rows = model._base_manager.filter(wanted).order_by("pk")
        return list(rows.values_list("pk", flat=True)[:MOST_PARENTS])


def is_uuid(term: str) -> bool:
    """Whether ``term`` could be the value of a UUID column."""
    try:
        UUID(term.strip())
    except ValueError:
        return False
    return True
