"""Search and suggestions over HTTP."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core import signing
from django.http import HttpResponse
from django_filters import rest_framework as filters
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from apps.caching.strategies import strategy
from apps.catalog import searching, selectors
from apps.catalog.caching.names import PRODUCT
from apps.catalog.engagement.reading import popular_terms
from apps.catalog.engagement.recording import record_search
from apps.catalog.rest.filters import ProductFilter, attribute_parameters
from apps.catalog.rest.products import ATTRIBUTE, NOT_MODIFIED
from apps.catalog.rest.serializers import PRODUCT_EXAMPLE, ProductSerializer
from apps.common.errors import InvalidInput
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import tagged
from apps.common.rest.pagination import (
    DEFAULT_LIMIT,
    MAX_CURSOR,
    MAX_LIMIT,
    CursorPagination,
    wanted_limit,
)
from apps.common.rest.permissions import PermissionsByMethod, Public
from apps.common.rest.renderers import dumps
from apps.common.rest.schema import IF_NONE_MATCH, problem_response

TAGS = ["search"]
LONGEST = 100
SIGNER = signing.Signer(salt="holdfast.search")


class SearchFilter(ProductFilter):
    """What is asked for, and what else the products must be."""

    search = None
    q = filters.CharFilter(
        method="asked",
        required=True,
        strip=False,
        min_length=1,
        max_length=LONGEST,
        help_text="Words, parts of a SKU or beginnings of words; the first eight count.",
    )
    facets = filters.ChoiceFilter(
        method="asked",
        choices=[("true", "true"), ("false", "false")],
        help_text="Whether to count categories and prices, too (they are unless said otherwise).",
    )

    def asked(self, queryset, name: str, value: str):
        return queryset


class Ranked(CursorPagination):
    """Pages in the order of the ranking: no other is possible."""

    parameters = ("cursor", "limit")


class CategoryFacet(serializers.Serializer):
    slug = serializers.CharField()
    name = serializers.CharField()
    parent = serializers.CharField(allow_null=True, help_text="The slug of the category above.")
    count = serializers.IntegerField(help_text="Products found in it and below it.")


class PriceFacet(serializers.Serializer):
    """``from`` is included, ``to`` is not; null = no end."""

    to = serializers.DecimalField(12, 2, source="end", allow_null=True)
    currency = serializers.CharField()
    count = serializers.IntegerField()

    def get_fields(self) -> dict[str, serializers.Field]:
        return {"from": serializers.DecimalField(12, 2, source="start"), **super().get_fields()}


class Facets(serializers.Serializer):
    """Counts over all products found, not only over the page."""

    categories = CategoryFacet(many=True)
    prices = PriceFacet(many=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A slip of the pen",
            value={
                "next": None,
                "previous": None,
                "results": [PRODUCT_EXAMPLE],
                "total": 1,
                "facets": {
                    "categories": [
                        {"slug": "kitchen", "name": "Kitchen", "parent": None, "count": 1}
                    ],
                    "prices": [{"from": "20.00", "to": "50.00", "currency": "GBP", "count": 1}],
                },
                "did_you_mean": "chopping board",
                "relaxed": False,
                "suggestions": [],
            },
        )
    ]
)
class SearchResult(serializers.Serializer):
    next = serializers.URLField(allow_null=True, help_text="The page after this one.")
    previous = serializers.URLField(allow_null=True, help_text="The page before this one.")
    results = ProductSerializer(many=True)
    total = serializers.IntegerField()
    facets = Facets(allow_null=True, help_text="Null with `facets=false`.")
    did_you_mean = serializers.CharField(
        allow_null=True, help_text="What was searched for instead of words that no name has."
    )
    relaxed = serializers.BooleanField(
        help_text="Whether no product has all the words, so that those with any are sent."
    )
    suggestions = serializers.ListField(
        child=serializers.CharField(), help_text="What to ask instead where nothing was found."
    )


class Search(PermissionsByMethod, GenericAPIView):
    permissions = {"GET": Public}
    serializer_class = ProductSerializer
    filterset_class = SearchFilter
    pagination_class = Ranked

    @property
    def query_parameters(self) -> list[str]:
        return attribute_parameters(self.request.query_params)

    def get_queryset(self):
        return selectors.products_for_sale()

    @extend_schema(
        operation_id="catalog_search",
        tags=TAGS,
        summary="Search for products",
        description="The best first: words of a name count more than those of SKU and category, "
        "these more than the description's; a whole SKU comes before everything. All words must "
        "be there unless nothing has all of them. Case, accents and endings do not matter, and a "
        "misspelt word is taken for the nearest words of names.",
        auth=[{}, {"sessionToken": []}],
        parameters=[ATTRIBUTE, IF_NONE_MATCH],
        responses={200: SearchResult, 304: NOT_MODIFIED, 503: problem_response(503)},
        filters=True,
    )
    def get(self, request: Request) -> HttpResponse:
        among = self.filter_queryset(self.get_queryset())
        query = request.query_params
        text, limit = query["q"], wanted_limit(request)
        after, backward = _position(query.get("cursor"), text)
        found = searching.search(
            text=text,
            limit=limit + 1,
            among=among if _narrows(query) else None,
            currency=query.get("currency", ""),
            after=after,
            backward=backward,
            facets=query.get("facets") != "false",
        )
        if after is None and found.total and not (found.relaxed or found.corrected):
            record_search(text)
        more = len(found.page) > limit
        page = found.page[-limit:] if backward else found.page[:limit]
        ids = [one.product_id for one in page]
        products = strategy(PRODUCT).get_many(ids)
        url = request.build_absolute_uri()
        has_next, has_previous = (True, more) if backward else (more, after is not None)
        rest = {
            "next": _link(url, text, page[-1:], False) if has_next else None,
            "previous": _link(url, text, page[:1], True) if has_previous else None,
            "total": found.total,
            "facets": Facets(found).data if found.counted else None,
            "did_you_mean": found.corrected,
            "relaxed": found.relaxed,
            "suggestions": found.suggestions,
        }
        # One that was taken from sale a moment ago is left out.
        results = b",".join([one.json for one in map(products.get, ids) if one is not None])
        return tagged(request, b'{"results":[%b],%b' % (results, dumps(rest)[1:]))


def _narrows(query: Any) -> bool:
    others = query.keys() - {"q", "facets", *Ranked.parameters}
    return bool(others)


def _position(cursor: str | None, text: str) -> tuple[searching.Position | None, bool]:
    """Where the page begins, and whether it is read backwards."""
    if cursor is None:
        return None, False
    try:
        if len(cursor) > MAX_CURSOR:
            raise signing.BadSignature()
        asked, backward, score, product_id = SIGNER.unsign_object(cursor)
        if asked != text:
            raise InvalidInput.field("cursor", "invalid", "A cursor of another search.")
        return (int(score), UUID(product_id)), bool(backward)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidInput.field("cursor", "invalid", "Not a cursor of this list.") from None


def _link(url: str, text: str, edge: Sequence[searching.Hit], backward: bool) -> str | None:
    if not edge:
        return remove_query_param(url, "cursor") if backward else None
    [one] = edge
    cursor = SIGNER.sign_object([text, backward, one.score, one.product_id])
    return replace_query_param(url, "cursor", cursor)


class SuggestedProduct(serializers.Serializer):
    id = serializers.UUIDField(source="public_id")
    slug = serializers.CharField()
    name = serializers.CharField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Half a word",
            value={
                "terms": ["beech chopping", "beech chairs"],
                "products": [{name: PRODUCT_EXAMPLE[name] for name in ("id", "slug", "name")}],
            },
        )
    ]
)
class SuggestionsOutput(serializers.Serializer):
    """``terms`` are texts to search for, the most usual first."""

    terms = serializers.ListField(child=serializers.CharField())
    products = SuggestedProduct(many=True)


class Typed(serializers.Serializer):
    q = serializers.CharField(max_length=LONGEST)


class Suggestions(PermissionsByMethod, APIView):
    permissions = {"GET": Public}

    @extend_schema(
        operation_id="catalog_suggestions",
        tags=TAGS,
        summary="What somebody who types may mean",
        description="Ends of the last word among the names that have the words before it, and "
        "products with the likeliest; the nearest words of names where nothing goes on like that.",
        auth=[{}, {"sessionToken": []}],
        parameters=[
            OpenApiParameter(
                "q", {"type": "string", "minLength": 1, "maxLength": LONGEST}, required=True
            ),
            OpenApiParameter(
                "limit",
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_LIMIT,
                    "default": DEFAULT_LIMIT,
                },
                description="Of each kind.",
            ),
            IF_NONE_MATCH,
        ],
        responses={200: SuggestionsOutput, 304: NOT_MODIFIED, 503: problem_response(503)},
    )
    def get(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request, ("q", "limit"))
        typed = Typed(data=request.query_params)
        typed.is_valid(raise_exception=True)
        text = typed.validated_data["q"]
        limit = wanted_limit(request)
        found = searching.suggest(text=text, limit=limit)
        # What many have asked for goes first.
        terms = dict.fromkeys([*popular_terms(text, limit), *found.terms])
        found = replace(found, terms=tuple(terms)[:limit])
        return tagged(request, SuggestionsOutput(found).data)
