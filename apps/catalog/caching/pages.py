"""Pages of the list: which products stand on it, and where the pages around it begin.

The products themselves come from their own values, so that a page outlives their stock, and one
ordered by name their prices.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
from django.http import QueryDict
from django.utils.encoding import iri_to_uri
from rest_framework.utils.urls import remove_query_param, replace_query_param

from apps.caching.resources import Fields
from apps.catalog import selectors
from apps.catalog.caching.names import BY_NAME, BY_PRICE, SHELVES
from apps.catalog.rest.filters import ProductFilter
from apps.common.rest.filters import StrictFilterBackend
from apps.common.rest.pagination import CursorPagination

# In the order of a page's key. What is searched for, or stands by stock or attributes, is read
# from the database: too many of these pages are asked for once, or change with every order.
KEPT = ("category", "currency", "cursor", "limit", "max_price", "min_price", "ordering")
OTHERS = frozenset({"fields", "state"})  # are no matter of the page
LONGEST_KEY = 1_000


class Listing:
    """How products are listed; read by the paginator and the filters."""

    filterset_class = ProductFilter
    pagination_class = CursorPagination
    ordering: tuple[str, ...] = ("name",)
    ordering_fields: tuple[str, ...] = ("name", "price", "created_at")
    query_parameters: Sequence[str] = ()


class Page(msgspec.Struct, frozen=True):
    """``next`` and ``previous`` are cursors: None = no such page, empty = the first one."""

    ids: list[str]
    next: str | None
    previous: str | None


class Query(NamedTuple):
    """The part of a request that the filters and the paginator look at."""

    query_params: QueryDict

    def build_absolute_uri(self) -> str:
        return f"/?{self.query_params.urlencode()}"


def key_of(query: QueryDict) -> str | None:
    """The page that the parameters ask for; None for one that is not kept."""
    if query.keys() - OTHERS - set(KEPT):
        return None
    key = urlencode([(name, query[name]) for name in KEPT if name in query])
    return key if len(key) <= LONGEST_KEY else None


def tags_of(key: str) -> tuple[str, ...]:
    """What the page depends on, besides the products' own values."""
    query = QueryDict(key)
    by_price = query.get("ordering", "").removeprefix("-") == "price"
    tags = [BY_NAME]
    if by_price or query.keys() & {"min_price", "max_price", "currency"}:
        tags.append(BY_PRICE)
    if "category" in query:
        tags.append(SHELVES)
    return tuple(tags)


def load(keys: Sequence[str]) -> Mapping[str, Page]:
    """The pages, a query each and one more for those of a category.

    Raises ``InvalidInput`` for parameters that say nothing, as the list itself does.
    """
    return {key: _load(key) for key in keys}


def _load(key: str) -> Page:
    request = Query(QueryDict(key))
    rows = StrictFilterBackend().filter_queryset(request, selectors.products_listed(), Listing)
    paginator = CursorPagination()
    ids = [str(row.public_id) for row in paginator.paginate_queryset(rows, request, Listing)]
    return Page(ids, _cursor(paginator.next), _cursor(paginator.previous))


def _cursor(link: str | None) -> str | None:
    return None if link is None else QueryDict(urlsplit(iri_to_uri(link)).query).get("cursor", "")


def link(url: str, cursor: str | None) -> str | None:
    """The address of a page next to the one at ``url``."""
    if not cursor:
        return None if cursor is None else remove_query_param(url, "cursor")
    return replace_query_param(url, "cursor", cursor)


def encode(page: Page) -> Fields:
    return {"page": msgspec.json.encode(page)}


def decode(fields: Fields) -> Page:
    """Raises ``ValueError`` for what is no page of ours."""
    try:
        return msgspec.json.decode(fields["page"], type=Page)
    except (KeyError, msgspec.DecodeError) as error:
        raise ValueError("no page") from error
