"""Products that have words somewhere in them, as the lists of the API and the back office ask."""

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest

from apps.common.lists import is_uuid

MAX_WORDS = 8
# What stands for a pattern is escaped only after folding, which can make "%" of other characters.
CONTAINS = (
    r"text LIKE '%%' || regexp_replace(upper(catalog_search_plain(%s)), '([\\%%_])', '\\\1', 'g')"
    r" || '%%'"
)


def matching(text: str, product: str = "pk") -> Q:
    """Products that have every word of ``text`` somewhere in name, SKU or description.

    Parts of words count, case and accents do not; only the first ``MAX_WORDS`` words do.
    ``product`` is the column with the product's key, where other rows are asked for.
    """
    words = text.split()[:MAX_WORDS]
    if not words:
        return Q()
    conditions = " AND ".join([CONTAINS] * len(words))
    entries = RawSQL(f"SELECT product_id FROM catalog_searchentry WHERE {conditions}", words)  # noqa: S611 - no input
    return Q(**{f"{product}__in": entries})


class FoundByWords:
    """A page of the back office whose search wants every word somewhere in the product."""

    words_of = "pk"  # the column with the product's key

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str):
        term = search_term.replace("\x00", "")
        if is_uuid(term):
            return super().get_search_results(request, queryset, term)
        return queryset.filter(matching(term, self.words_of)), False
