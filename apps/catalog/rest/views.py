"""Products for everybody."""

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.catalog import selectors
from apps.catalog.rest.filters import ProductFilter
from apps.catalog.rest.serializers import ProductSerializer
from apps.common.errors import NotFound
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import tagged
from apps.common.rest.permissions import Public
from apps.common.rest.schema import IF_NONE_MATCH

TAGS = ["products"]


@extend_schema_view(get=extend_schema(tags=TAGS, operation_id="products_list", auth=[]))
class ProductList(ListAPIView):
    """The products for sale, by name."""

    permission_classes = (Public,)
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    ordering = ("name",)
    ordering_fields = ("name", "created_at")

    def get_queryset(self):
        return selectors.products_for_sale()


class ProductDetail(APIView):
    """One product for sale."""

    permission_classes = (Public,)

    @extend_schema(
        tags=TAGS,
        operation_id="products_retrieve",
        auth=[],
        parameters=[IF_NONE_MATCH],
        responses={200: ProductSerializer, 304: OpenApiResponse(description="Not modified.")},
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        """The product as it is now, with an ETag; inactive and deleted ones are 404."""
        refuse_unknown_parameters(request)
        product = selectors.products_for_sale().filter(public_id=public_id).first()
        if product is None:
            raise NotFound("There is no such product.")
        return tagged(request, ProductSerializer(product).data)
