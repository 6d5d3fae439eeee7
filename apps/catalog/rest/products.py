"""Products over HTTP: for everybody to read, for staff with the permission to write."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.caching.strategies import strategy
from apps.catalog import selectors, services
from apps.catalog.caching import pages
from apps.catalog.caching.names import PRODUCT
from apps.catalog.enums import ProductState
from apps.catalog.feed import merging
from apps.catalog.models import Product
from apps.catalog.rest.cached import cached_answer, cached_page, note_view
from apps.catalog.rest.editing import MODE, WRITE_BEHIND, EditedProduct, edit, wanted_mode
from apps.catalog.rest.filters import ProductFilter, attribute_parameters
from apps.catalog.rest.inputs import (
    Nothing,
    ProductInput,
    ProductPatch,
    expected_version,
    with_category,
)
from apps.catalog.rest.serializers import PRODUCT_FIELDS, ProductSerializer, product_data
from apps.common.errors import InvalidInput, NotFound
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import if_match_version, tagged, versioned_etag
from apps.common.rest.permissions import PermissionsByMethod, Public, staff_with
from apps.common.rest.schema import IF_MATCH, IF_NONE_MATCH, problem_response
from apps.common.rest.serializers import validated

TAGS = ["products"]
MAY_SEE_ALL = "catalog.view_product"
NOT_MODIFIED = OpenApiResponse(description="Not modified.")
GONE = OpenApiResponse(description="Done.")
FIELDS = OpenApiParameter(
    "fields",
    {
        "type": "string",
        "pattern": "^({0})(,({0}))*$".format("|".join(PRODUCT_FIELDS)),
        "maxLength": 1_000,
        "examples": ["id,name,price"],
    },
    description="Only these fields, separated by commas.",
)
STATE = OpenApiParameter(
    "state",
    enum=ProductState.values,
    default=ProductState.FOR_SALE,
    description="Staff who may view products see the others too.",
)
ATTRIBUTE = OpenApiParameter(
    "attributes.material",
    {"type": "string", "examples": ["beech"]},
    description="Any attribute may stand after `attributes.`, a dot leads into an object "
    "(`attributes.size.width`). Finds the value itself and lists that hold it; given twice, "
    "either value.",
)


def product_of(public_id: UUID, state: ProductState = ProductState.ANY) -> Product:
    """The product in this state, with the edits of it that wait; raises ``NotFound``."""
    pending = merging.waiting([str(public_id)])  # before the row: what is flushed now is in both
    product = selectors.product_get(public_id=public_id, state=state)
    if product is None:
        raise NotFound("There is no such product.")
    merging.merge([product], pending)
    return product


def answer(
    request: Request, product: Product, *, only: Iterable[str] = (), status: int = 200
) -> HttpResponse:
    """The product with its ETag."""
    data = product_data(product, only)
    response = tagged(request, data, etag=versioned_etag(product.version, data))
    if response.status_code == 200:
        response.status_code = status
    return response


def edited(request: Request, public_id: UUID) -> Response:
    """Keeps the edit, and answers the product as readers see it from now on: by the cache, which
    has it for them then."""
    done = edit(request, public_id)
    seen = strategy(PRODUCT).get(str(public_id))
    data = seen.data if seen is not None else product_data(product_of(public_id))
    return Response(done | {"product": data}, status=202)


def wanted_fields(request: Request) -> Sequence[str]:
    """The names in ``fields``; none = all. Raises ``InvalidInput`` for one that is none."""
    raw = request.query_params.get("fields")
    names = [] if raw is None else [name.strip() for name in raw[:1_000].split(",")]
    if unknown := [name for name in names if name not in PRODUCT_FIELDS]:
        text = f"“{unknown[0][:40]}” is none of {', '.join(PRODUCT_FIELDS)}."
        raise InvalidInput.field("fields", "invalid_choice", text)
    return list(dict.fromkeys(names))


def wanted_state(view: APIView, request: Request) -> ProductState:
    """The ``state`` asked for; others than those for sale are for staff who may view products."""
    raw = request.query_params.get("state", ProductState.FOR_SALE)
    if raw not in ProductState.values:
        text = f"One of {', '.join(ProductState.values)}."
        raise InvalidInput.field("state", "invalid_choice", text)
    if raw != ProductState.FOR_SALE and not staff_with(MAY_SEE_ALL)().has_permission(request, view):
        view.permission_denied(request)
    return ProductState(raw)


class Products(PermissionsByMethod, GenericAPIView):
    permissions = {"GET": Public, "POST": staff_with("catalog.add_product")}
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    ordering = ("name",)
    ordering_fields = ("name", "price", "created_at")

    @property
    def query_parameters(self) -> list[str]:
        return ["fields", "state", *attribute_parameters(self.request.query_params)]

    def get_queryset(self) -> QuerySet[Product]:
        return selectors.products_for_sale()

    @extend_schema(
        operation_id="products_list",
        tags=TAGS,
        summary="Products for sale",
        description="By name unless ordered otherwise; `-created_at` has the newest first.",
        auth=[{}, {"sessionToken": []}],
        parameters=[FIELDS, STATE, ATTRIBUTE, IF_NONE_MATCH],
        responses={
            200: ProductSerializer(many=True),
            304: NOT_MODIFIED,
            403: problem_response(403),
        },
        filters=True,
    )
    def get(self, request: Request) -> HttpResponse:
        only, state = wanted_fields(request), wanted_state(self, request)
        key = pages.key_of(request.query_params) if state == ProductState.FOR_SALE else None
        if key is not None:
            return cached_page(request, key, only)
        rows = self.paginate_queryset(self.filter_queryset(selectors.products(state=state)))
        merging.merge(rows, merging.waiting([str(one.public_id) for one in rows]))
        page = self.get_paginated_response([product_data(one, only) for one in rows])
        return tagged(request, page.data)

    @extend_schema(
        operation_id="products_create",
        tags=TAGS,
        summary="Add a product",
        description="With a stock of zero pieces; its slug is made of name and SKU unless given.",
        request=ProductInput,
        responses={201: ProductSerializer, 409: problem_response(409)},
    )
    def post(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request)
        body = with_category(validated(ProductInput, request))
        product = product_of(services.product_create(**body).public_id)
        response = answer(request, product, status=201)
        response["Location"] = reverse("product", args=[product.public_id])
        return response


class OneProduct(PermissionsByMethod, APIView):
    permissions = {
        "GET": Public,
        "PATCH": staff_with("catalog.change_product"),
        "DELETE": staff_with("catalog.delete_product"),
    }

    @extend_schema(
        operation_id="products_retrieve",
        tags=TAGS,
        summary="A product",
        description="As it is now; what is not for sale is 404 unless `state` asks for it.",
        auth=[{}, {"sessionToken": []}],
        parameters=[FIELDS, STATE, IF_NONE_MATCH],
        responses={200: ProductSerializer, 304: NOT_MODIFIED, 403: problem_response(403)},
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request, ("fields", "state"))
        only, state = wanted_fields(request), wanted_state(self, request)
        if state == ProductState.FOR_SALE:
            response = cached_answer(request, public_id, only)
            note_view(request, public_id)
            return response
        return answer(request, product_of(public_id, state), only=only)

    @extend_schema(
        operation_id="products_update",
        tags=TAGS,
        summary="Change a product",
        description="Only the fields given. Needs the version you have read, by If-Match or in "
        "the body; 409 `version_conflict` if somebody was faster. A new price is kept with the "
        "old one in the history of prices. With `mode=write-behind` only `price` and `attributes` "
        "may be given and no version is needed: attributes are laid over those there (null removes "
        "one), readers see the change at once and the database has it a moment later.",
        parameters=[IF_MATCH, MODE],
        request=ProductPatch,
        responses={200: ProductSerializer, 202: EditedProduct},
    )
    def patch(self, request: Request, public_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request, ("mode",))
        if wanted_mode(request) == WRITE_BEHIND:
            return edited(request, public_id)
        product = product_of(public_id)
        body = validated(ProductPatch, request)
        version = expected_version(request, body)
        changes = with_category(body)
        services.product_change(product_pk=product.pk, version=version, changes=changes)
        return answer(request, product_of(public_id))

    @extend_schema(
        operation_id="products_delete",
        tags=TAGS,
        summary="Delete a product",
        description="It leaves the shop and can be restored; what is promised of it stays "
        "promised. Deleting it again changes nothing.",
        parameters=[IF_MATCH],
        request=None,
        responses={204: GONE, 413: problem_response(413), 415: problem_response(415)},
    )
    def delete(self, request: Request, public_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request)
        product, version = product_of(public_id), if_match_version(request)
        validated(Nothing, request)
        services.product_delete(product_pk=product.pk, version=version)
        return Response(status=204)


class RestoreProduct(APIView):
    permission_classes = (staff_with("catalog.restore_product"),)

    @extend_schema(
        operation_id="products_restore",
        tags=TAGS,
        summary="Restore a deleted product",
        description="409 names who has its SKU or slug meanwhile, or its deleted category.",
        request=Nothing,
        responses={200: ProductSerializer, 409: problem_response(409)},
    )
    def post(self, request: Request, public_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request)
        product = product_of(public_id)
        validated(Nothing, request)
        services.product_restore(product_pk=product.pk)
        return answer(request, product_of(public_id))


class PurgeProduct(APIView):
    permission_classes = (staff_with("catalog.purge_product"),)

    @extend_schema(
        operation_id="products_purge",
        tags=TAGS,
        summary="Remove a deleted product for good",
        description="Nothing brings it back. 409 `in_use` where reservations or the stock ledger "
        "tell of it, `not_deleted` where it was not deleted before.",
        request=Nothing,
        responses={204: GONE, 409: problem_response(409)},
    )
    def post(self, request: Request, public_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request)
        product = product_of(public_id)
        validated(Nothing, request)
        services.product_purge(product_pk=product.pk)
        return Response(status=204)
