"""What the API tells customers about themselves, and lets them change."""

from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import if_match_version, tagged
from apps.common.rest.pagination import PARAMETERS, CursorPagination, paged
from apps.common.rest.permissions import LoggedIn
from apps.common.rest.schema import IF_MATCH, IF_NONE_MATCH, problem_response
from apps.common.rest.serializers import validated
from apps.customers import addresses, selectors, services
from apps.customers.contracts import Address
from apps.customers.models import Address as AddressRow
from apps.customers.models import User
from apps.customers.rest.serializers import (
    AddressChange,
    AddressInput,
    AddressSerializer,
    MeChange,
    MeSerializer,
    Nothing,
)

TAGS = ["me"]
NOT_MODIFIED = OpenApiResponse(description="Not modified.")


class Me(APIView):
    permission_classes = (LoggedIn,)

    @extend_schema(
        operation_id="me",
        tags=TAGS,
        summary="Who I am, and my addresses",
        parameters=[IF_NONE_MATCH],
        responses={200: MeSerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request)
        return _me(request, request.user)

    @extend_schema(
        operation_id="me_update",
        tags=TAGS,
        summary="Change my name",
        parameters=[IF_MATCH],
        request=MeChange,
        responses=MeSerializer,
    )
    def patch(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request)
        version = if_match_version(request)
        changes = validated(MeChange, request)
        user = services.customer_update(user_id=request.user.pk, changes=changes, version=version)
        return _me(request, user)


class Addresses(APIView):
    permission_classes = (LoggedIn,)
    pagination_class = CursorPagination
    ordering = ("-is_default", "public_id")

    @extend_schema(
        operation_id="me_addresses_list",
        tags=TAGS,
        summary="My addresses, the default one first",
        responses=AddressSerializer(many=True),
        filters=True,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, PARAMETERS)
        rows = selectors.address_rows(user_id=request.user.pk)
        return paged(self, request, rows, lambda row: AddressSerializer(row).data)

    @extend_schema(
        operation_id="me_addresses_create",
        tags=TAGS,
        summary="Add an address",
        description="My first address becomes the default. At most fifty.",
        request=AddressInput,
        responses={201: AddressSerializer, 409: problem_response(409)},
    )
    def post(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request)
        body = validated(AddressInput, request)
        make_default = body.pop("is_default", False)
        row = addresses.address_create(
            user_id=request.user.pk, address=Address(**body), make_default=make_default
        )
        answer = _address(request, row)
        answer.status_code = 201
        answer["Location"] = reverse("my-address", args=[row.public_id])
        return answer


class OneAddress(APIView):
    permission_classes = (LoggedIn,)

    @extend_schema(
        operation_id="me_addresses_get",
        tags=TAGS,
        summary="One of my addresses",
        parameters=[IF_NONE_MATCH],
        responses={200: AddressSerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request, address_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request)
        return _address(request, _mine(request, address_id))

    @extend_schema(
        operation_id="me_addresses_replace",
        tags=TAGS,
        summary="Replace an address",
        description="Lines left out become empty. Orders keep the address they were placed with.",
        parameters=[IF_MATCH],
        request=AddressInput,
        responses=AddressSerializer,
    )
    def put(self, request: Request, address_id: UUID) -> HttpResponse:
        return self._change(request, address_id, AddressInput)

    @extend_schema(
        operation_id="me_addresses_update",
        tags=TAGS,
        summary="Change an address, or make it the default",
        description="Orders keep the address they were placed with.",
        parameters=[IF_MATCH],
        request=AddressChange,
        responses=AddressSerializer,
    )
    def patch(self, request: Request, address_id: UUID) -> HttpResponse:
        return self._change(request, address_id, AddressChange)

    @extend_schema(
        operation_id="me_addresses_delete",
        tags=TAGS,
        summary="Delete an address",
        description="If it was the default, there is none until another is made it.",
        parameters=[IF_MATCH],
        request=None,
        responses={
            204: OpenApiResponse(description="Deleted."),
            413: problem_response(413),
            415: problem_response(415),
        },
    )
    def delete(self, request: Request, address_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request)
        version = if_match_version(request)
        row = _mine(request, address_id)
        validated(Nothing, request)
        addresses.address_delete(address_id=row.pk, version=version)
        return Response(status=204)

    def _change(self, request: Request, address_id: UUID, serializer) -> HttpResponse:
        refuse_unknown_parameters(request)
        version = if_match_version(request)
        row = _mine(request, address_id)
        changes = validated(serializer, request)
        is_default = changes.pop("is_default", None)
        row = addresses.address_change(
            address_id=row.pk, changes=changes, is_default=is_default, version=version
        )
        return _address(request, row)


def _mine(request: Request, address_id: UUID) -> AddressRow:
    return selectors.address_row(user_id=request.user.pk, address_id=address_id)


def _address(request: Request, row: AddressRow) -> HttpResponse:
    return tagged(request, AddressSerializer(row).data, etag=f'"{row.version}"')


def _me(request: Request, user: User) -> HttpResponse:
    me = {
        "public_id": user.public_id,
        "email": user.email,
        "name": user.name,
        "is_staff": user.is_staff,
        "date_joined": user.date_joined,
        "version": user.version,
        "addresses": selectors.addresses_of(user_id=user.pk),
    }
    return tagged(request, MeSerializer(me).data, etag=f'"{user.version}"')
