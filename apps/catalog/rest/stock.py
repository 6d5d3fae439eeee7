"""Stock and prices of a product over HTTP, for staff."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog import facade, selectors
from apps.catalog.contracts import AdjustStock, StockLevel
from apps.catalog.rest.inputs import AdjustStockInput
from apps.catalog.rest.products import product_of
from apps.catalog.rest.serializers import PriceChangeOutput, StockMovementOutput, StockOutput
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import idempotency_key
from apps.common.rest.pagination import PARAMETERS, CursorPagination, paged
from apps.common.rest.permissions import staff_with
from apps.common.rest.schema import IDEMPOTENCY_KEY
from apps.common.rest.serializers import validated

TAGS = ["stock"]


class Stock(APIView):
    permission_classes = (staff_with("catalog.view_stockitem"),)

    @extend_schema(
        operation_id="stock_retrieve",
        tags=TAGS,
        summary="A product's stock",
        responses=StockOutput,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        product = product_of(public_id)
        found = facade.stock_levels([public_id])
        level = found[0] if found else StockLevel(product.public_id, 0, 0)
        return Response(StockOutput(level).data)


class StockLedger(APIView):
    permission_classes = (staff_with("catalog.view_stockledgerentry"),)
    pagination_class = CursorPagination
    ordering = ("-pk",)

    @extend_schema(
        operation_id="stock_ledger",
        tags=TAGS,
        summary="What happened to a product's stock, newest first",
        responses=StockMovementOutput(many=True),
        filters=True,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        refuse_unknown_parameters(request, PARAMETERS)
        movements = selectors.stock_movements(product_pk=product_of(public_id).pk)
        return paged(self, request, movements, lambda row: StockMovementOutput(row).data)


class AdjustStockView(APIView):
    permission_classes = (staff_with("catalog.adjust_stock"),)

    @extend_schema(
        operation_id="stock_adjust",
        tags=TAGS,
        summary="Correct a product's stock",
        description="The count changes and the ledger says why. 409 `below_reserved` where fewer "
        "pieces would be left than are promised to orders.",
        parameters=[IDEMPOTENCY_KEY],
        request=AdjustStockInput,
        responses=StockOutput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        product = product_of(public_id)
        key = idempotency_key(request)
        body = validated(AdjustStockInput, request)
        command = AdjustStock(
            key=key,
            principal=f"staff:{request.user.public_id}",
            product_id=product.public_id,
            **body,
        )
        return Response(StockOutput(facade.adjust_stock(command)).data)


class Prices(APIView):
    permission_classes = (staff_with("catalog.view_pricechange"),)
    pagination_class = CursorPagination
    ordering = ("-pk",)

    @extend_schema(
        operation_id="products_prices",
        tags=["products"],
        summary="A product's prices, newest first",
        responses=PriceChangeOutput(many=True),
        filters=True,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        refuse_unknown_parameters(request, PARAMETERS)
        prices = selectors.price_changes(product_pk=product_of(public_id).pk)
        return paged(self, request, prices, lambda row: PriceChangeOutput(row).data)
