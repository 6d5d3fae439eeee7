"""What others look at and buy, for the shop's front page; what staff want to know of a product.

While the durable Redis is away the lists are empty and say so (``complete``): a front page without
them is better than none.
"""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.caching.strategies import strategy
from apps.catalog.caching.names import PRODUCT
from apps.catalog.engagement import reading
from apps.catalog.engagement.reading import PERIODS
from apps.catalog.engagement.visitors import HEADER, LONGEST, SANE, Visitor
from apps.catalog.engagement.window import Shown, shown
from apps.catalog.rest.products import product_of
from apps.catalog.rest.serializers import PRODUCT_EXAMPLE, ProductSerializer
from apps.common.errors import InvalidInput, NotFound
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import tagged
from apps.common.rest.pagination import DEFAULT_LIMIT, MAX_LIMIT, wanted_limit
from apps.common.rest.permissions import LoggedIn, Public, staff_with
from apps.common.rest.schema import IF_NONE_MATCH

TAGS = ["shop window"]
ANYBODY = [{}, {"sessionToken": []}]
NOT_MODIFIED = OpenApiResponse(description="Not modified.")
SECONDS = 15  # that anybody may keep the lists that are the same for all
LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
PERIOD = OpenApiParameter(
    "period",
    enum=list(PERIODS),
    default="week",
    description="Today (UTC), with the six days before, or ever.",
)
VISITOR = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": rf"^[A-Za-z0-9._~-]{{1,{LONGEST}}}$"},
    location=OpenApiParameter.HEADER,
    description="Who looks, in the client's own words: a random name it keeps. Products that are "
    "read with it are remembered under it for 30 days.",
)


@extend_schema_serializer(
    examples=[OpenApiExample("A board", value={"results": [PRODUCT_EXAMPLE], "complete": True})]
)
class WindowOutput(serializers.Serializer):
    """Products for sale, in order."""

    results = ProductSerializer(many=True)
    complete = serializers.BooleanField(
        help_text="False where what is counted cannot be read at present: try again later."
    )


class BoughtTogether(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    orders = serializers.IntegerField(help_text="In how many orders both stand.")


class VisitorsOutput(serializers.Serializer):
    days = serializers.IntegerField(help_text="So many days up to today (UTC).")
    visitors = serializers.IntegerField(help_text="Estimated, ±0.81 %.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A board",
            value={
                "views_today": 59,
                "visitors": [
                    {"days": 1, "visitors": 38},
                    {"days": 7, "visitors": 170},
                    {"days": 30, "visitors": 512},
                ],
                "sold_today": 6,
                "sold_week": 18,
                "bought_together": [
                    {
                        "id": "01890a5d-ac96-774b-bcce-b302099a8061",
                        "name": "Cushion Cover, Moss",
                        "orders": 4,
                    }
                ],
                "complete": True,
            },
        )
    ]
)
class InsightsOutput(serializers.Serializer):
    """Who looks at a product and what is bought with it."""

    views_today = serializers.IntegerField()
    visitors = VisitorsOutput(many=True)
    sold_today = serializers.IntegerField(help_text="Pieces, less what was cancelled or returned.")
    sold_week = serializers.IntegerField()
    bought_together = BoughtTogether(many=True)
    complete = serializers.BooleanField()


def listed(request: Request, found: Shown, *, cache_control: str = "no-cache") -> HttpResponse:
    """The products as the cache has them; an incomplete answer is kept by nobody."""
    results = b",".join([product.json for _, product, _ in found.products])
    complete = b"true" if found.complete else b"false"
    body = b'{"results":[%b],"complete":%b}' % (results, complete)
    return tagged(request, body, cache_control=cache_control if found.complete else "no-store")


def window_schema(operation: str, summary: str, description: str, *parameters, **words) -> Callable:
    return extend_schema(
        operation_id=operation,
        tags=TAGS,
        summary=summary,
        description=description,
        parameters=[*parameters, LIMIT, IF_NONE_MATCH],
        responses={200: WindowOutput, 304: NOT_MODIFIED},
        **words,
    )


class Trending(APIView):
    permission_classes = (Public,)

    @window_schema(
        "trending_list",
        "What is looked at now",
        "A view counts half after twelve hours.",
        auth=ANYBODY,
    )
    def get(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request, ("limit",))
        found = shown(reading.trending, wanted_limit(request))
        return listed(request, found, cache_control=f"public, max-age={SECONDS}")


class BestSellers(APIView):
    permission_classes = (Public,)

    @window_schema(
        "best_sellers_list",
        "What sells best",
        "By pieces of confirmed orders, less what was cancelled or came back.",
        PERIOD,
        auth=ANYBODY,
    )
    def get(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request, ("limit", "period"))
        period = request.query_params.get("period", "week")
        if period not in PERIODS:
            text = f"One of {', '.join(PERIODS)}."
            raise InvalidInput.field("period", "invalid_choice", text)
        found = shown(partial(reading.best_sellers, period), wanted_limit(request))
        return listed(request, found, cache_control=f"public, max-age={SECONDS}")


class RecentlyViewed(APIView):
    permission_classes = (Public,)

    @window_schema(
        "recently_viewed_list",
        "What was looked at last",
        f"By the visitor whom `{HEADER}` names; without it, by anybody.",
        VISITOR,
        auth=ANYBODY,
    )
    def get(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request, ("limit",))
        visitor = named_visitor(request)
        found = shown(partial(reading.recently_viewed, visitor), wanted_limit(request))
        response = listed(request, found)
        response["Vary"] = HEADER
        return response


def named_visitor(request: Request) -> Visitor | None:
    """Whom the header names, if there is one; raises ``InvalidInput`` for a malformed one."""
    given = request.headers.get(HEADER)
    if given is None:
        return None
    if not SANE.fullmatch(given):
        text = f"1 to {LONGEST} letters, digits and any of . _ ~ -"
        raise InvalidInput.field(HEADER, "invalid", text)
    return Visitor(given=given)


class MyRecentlyViewed(APIView):
    permission_classes = (LoggedIn,)

    @window_schema(
        "me_recently_viewed_list",
        "What I looked at last",
        "The latest first, each once; it is forgotten 30 days after the last look.",
    )
    def get(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request, ("limit",))
        me = Visitor(customer=request.user.public_id)
        return listed(request, shown(partial(reading.recently_viewed, me), wanted_limit(request)))


class Related(APIView):
    permission_classes = (Public,)

    @window_schema(
        "products_related",
        "What is bought together with a product",
        "By the number of orders in which both stand.",
        auth=ANYBODY,
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request, ("limit",))
        limit = wanted_limit(request)
        if strategy(PRODUCT).get(str(public_id)) is None:
            raise NotFound("There is no such product.")
        found = shown(partial(reading.bought_together, public_id), limit)
        return listed(request, found, cache_control=f"public, max-age={SECONDS}")


class Insights(APIView):
    permission_classes = (staff_with("catalog.view_product"),)

    @extend_schema(
        operation_id="products_insights",
        tags=TAGS,
        summary="Who looks at a product, and what is bought with it",
        responses=InsightsOutput,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        product = product_of(public_id)
        known = reading.insights(product.public_id)
        together = shown(partial(reading.bought_together, product.public_id), 10)
        return Response(
            {
                "views_today": known.views_today,
                "visitors": [{"days": days, "visitors": n} for days, n in known.visitors],
                "sold_today": known.sold_today,
                "sold_week": known.sold_week,
                "bought_together": [
                    {"id": one, "name": other.data["name"], "orders": int(orders)}
                    for one, other, orders in together.products
                ],
                "complete": known.complete and together.complete,
            }
        )
