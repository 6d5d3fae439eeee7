"""The cache of a product over HTTP, for staff."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.caching import services
from apps.catalog.rest.inputs import Nothing
from apps.catalog.rest.products import GONE, TAGS, product_of
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.permissions import staff_with
from apps.common.rest.schema import problem_response
from apps.common.rest.serializers import validated


class ProductCache(APIView):
    permission_classes = (staff_with("catalog.change_product"),)

    @extend_schema(
        operation_id="products_cache_drop",
        tags=TAGS,
        summary="Take a product out of the cache",
        description="It is read from the database when it is asked for again, and so are the pages "
        "of the list. Nothing needs this: every change does it by itself.",
        request=None,
        responses={204: GONE, 413: problem_response(413), 415: problem_response(415)},
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        product = product_of(public_id)
        validated(Nothing, request)
        services.product_cache_drop(product=product)
        return Response(status=204)
