"""Queries of the read model over HTTP. Customers see their own orders, staff all."""

from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import InvalidInput, NotFound
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import prefer_wait
from apps.common.rest.permissions import LoggedIn, staff_with
from apps.common.rest.schema import PREFER_WAIT
from apps.common.rest.waiting import wait_until
from apps.reporting import selectors
from apps.reporting.models import DailySales, OrderView
from apps.reporting.rest.filters import DailySalesFilter, OrderViewFilter
from apps.reporting.rest.pagination import NumberedPagination
from apps.reporting.rest.serializers import (
    DailySalesOutput,
    NotYetOutput,
    OrderViewDetailOutput,
    OrderViewOutput,
)

MIN_VERSION, LARGEST_VERSION = "min_version", 2**31 - 1
RETRY_AFTER = "1"  # second
SEES_ALL = staff_with("reporting.view_orderview")


def visible(request: Request, view: APIView) -> QuerySet[OrderView]:
    """The orders that the caller may see; staff without the right are customers."""
    if SEES_ALL().has_permission(request, view):
        return selectors.order_views()
    return selectors.order_views_of(getattr(request.user, "public_id", None))


class OrderViews(GenericAPIView):
    permission_classes = (LoggedIn,)
    filterset_class = OrderViewFilter
    pagination_class = NumberedPagination
    ordering = ("-placed_at",)
    ordering_fields = ("placed_at",)
    ordering_unique = "order_id"

    def get_queryset(self) -> QuerySet[OrderView]:
        return visible(self.request, self)

    @extend_schema(
        operation_id="order_views_list",
        tags=["order views"],
        summary="Orders from the read model, newest first",
        description="My own; for staff everybody's.",
        responses=OrderViewOutput(many=True),
        filters=True,
    )
    def get(self, request: Request) -> Response:
        views = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        lines = selectors.lines_of([view.order_id for view in views])
        data = [selectors.order_view_data(view, lines[view.order_id]) for view in views]
        return self.get_paginated_response(OrderViewOutput(data, many=True).data)


class OrderViewDetail(APIView):
    permission_classes = (LoggedIn,)

    @extend_schema(
        operation_id="order_views_get",
        tags=["order views"],
        summary="One order from the read model",
        description="With `min_version`, the version that a command answered with, the answer has "
        "at least what that command did: it waits a moment for it (or as long as `Prefer: wait=N` "
        "says), and answers 202 where it takes longer.",
        parameters=[
            OpenApiParameter(
                MIN_VERSION, {"type": "integer", "minimum": 1, "maximum": LARGEST_VERSION}
            ),
            PREFER_WAIT,
        ],
        responses={
            200: OrderViewDetailOutput,
            202: OpenApiResponse(NotYetOutput, "It is not there yet; ask again in a moment."),
        },
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        refuse_unknown_parameters(request, [MIN_VERSION])
        wanted = _min_version(request.query_params.get(MIN_VERSION))
        views = visible(request, self).filter(pk=order_id)
        if wanted:
            seconds = prefer_wait(request) or settings.READ_MODEL_WAIT_SECONDS
            fresh = views.filter(order_version__gte=wanted)
            if not fresh.exists() and not wait_until(fresh.exists, seconds):
                known = views.values_list("order_version", flat=True).first()
                data = {"id": order_id, "version": known or 0, MIN_VERSION: wanted}
                headers = {"Retry-After": RETRY_AFTER}
                return Response(NotYetOutput(data).data, status=202, headers=headers)
        view = views.first()
        if view is None:
            raise NotFound()
        lines = selectors.lines_of([order_id])[order_id]
        return Response(OrderViewDetailOutput(selectors.order_view_data(view, lines)).data)


def _min_version(raw: str | None) -> int:
    if raw is None:
        return 0
    if raw.isascii() and raw.isdigit() and len(raw) <= 10 and 1 <= int(raw) <= LARGEST_VERSION:
        return int(raw)
    text = f"Must be a whole number from 1 to {LARGEST_VERSION}."
    raise InvalidInput.field(MIN_VERSION, "invalid", text)


class DailySalesView(GenericAPIView):
    permission_classes = (staff_with("reporting.view_dailysales"),)
    filterset_class = DailySalesFilter
    ordering = ("-day", "currency")
    ordering_unique = "key"
    queryset = DailySales.objects.all()

    @extend_schema(
        operation_id="sales_daily",
        tags=["order views"],
        summary="What was sold each day, by product, category or country",
        responses=DailySalesOutput(many=True),
        filters=True,
    )
    def get(self, request: Request) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        titles = selectors.titles(rows)
        data = [
            selectors.daily_sales_data(row, titles.get((row.dimension, row.key), row.key))
            for row in rows
        ]
        return self.get_paginated_response(DailySalesOutput(data, many=True).data)
