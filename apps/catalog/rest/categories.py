"""The category tree over HTTP."""

from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.caching.strategies import strategy
from apps.catalog import categories, selectors
from apps.catalog.caching.names import CATEGORIES, TREE
from apps.catalog.enums import CategoryState
from apps.catalog.models import Category
from apps.catalog.rest.inputs import (
    CategoryInput,
    CategoryPatch,
    Nothing,
    expected_version,
    with_category,
)
from apps.catalog.rest.products import GONE, NOT_MODIFIED
from apps.catalog.rest.serializers import CategoryOutput, CategoryTree, tree_data
from apps.common.errors import InvalidInput, NotFound
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import if_match_version, tagged, versioned_etag
from apps.common.rest.permissions import PermissionsByMethod, Public, staff_with
from apps.common.rest.schema import IF_MATCH, IF_NONE_MATCH, problem_response
from apps.common.rest.serializers import validated

TAGS = ["categories"]
STATE = OpenApiParameter(
    "state",
    enum=CategoryState.values,
    default=CategoryState.LIVING,
    description="Staff who may view categories see the deleted ones too.",
)


def category_of(public_id: UUID, *, deleted: bool = False) -> Category:
    """The category, a deleted one only if that is asked for; raises ``NotFound``."""
    category = selectors.category_get(public_id=public_id, deleted=deleted)
    if category is None:
        raise NotFound("There is no such category.")
    return category


def answer(request: Request, public_id: UUID) -> HttpResponse:
    """The category with its ETag."""
    category = category_of(public_id)
    data = CategoryOutput(category).data
    return tagged(request, data, etag=versioned_etag(category.version, data))


class Categories(PermissionsByMethod, APIView):
    permissions = {"GET": Public, "POST": staff_with("catalog.add_category")}

    @extend_schema(
        operation_id="categories_tree",
        tags=TAGS,
        summary="All categories as a tree",
        description="By name on each level.",
        auth=[{}, {"sessionToken": []}],
        parameters=[STATE, IF_NONE_MATCH],
        responses={200: CategoryTree, 304: NOT_MODIFIED, 403: problem_response(403)},
    )
    def get(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request, ("state",))
        state = request.query_params.get("state", CategoryState.LIVING)
        if state not in CategoryState.values:
            text = f"One of {', '.join(CategoryState.values)}."
            raise InvalidInput.field("state", "invalid_choice", text)
        may_see_all = staff_with("catalog.view_category")()
        if state != CategoryState.LIVING and not may_see_all.has_permission(request, self):
            self.permission_denied(request)
        if state == CategoryState.LIVING:
            return tagged(request, strategy(CATEGORIES).get(TREE.id))
        return tagged(request, tree_data(selectors.categories(state=CategoryState(state))))

    @extend_schema(
        operation_id="categories_create",
        tags=TAGS,
        summary="Add a category",
        request=CategoryInput,
        responses={201: CategoryOutput, 409: problem_response(409)},
    )
    def post(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request)
        body = with_category(validated(CategoryInput, request), "parent")
        category = categories.category_create(**body)
        response = answer(request, category.public_id)
        response.status_code = 201
        response["Location"] = reverse("category", args=[category.public_id])
        return response


class OneCategory(PermissionsByMethod, APIView):
    permissions = {
        "GET": Public,
        "PATCH": staff_with("catalog.change_category"),
        "DELETE": staff_with("catalog.delete_category"),
    }

    @extend_schema(
        operation_id="categories_retrieve",
        tags=TAGS,
        summary="A category",
        auth=[{}, {"sessionToken": []}],
        parameters=[IF_NONE_MATCH],
        responses={200: CategoryOutput, 304: NOT_MODIFIED},
    )
    def get(self, request: Request, category_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request)
        return answer(request, category_id)

    @extend_schema(
        operation_id="categories_update",
        tags=TAGS,
        summary="Rename or move a category",
        description="Needs the version you have read, by If-Match or in the body.",
        parameters=[IF_MATCH],
        request=CategoryPatch,
        responses=CategoryOutput,
    )
    def patch(self, request: Request, category_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request)
        category = category_of(category_id)
        body = validated(CategoryPatch, request)
        version = expected_version(request, body)
        now = {"name": category.name, "slug": category.slug, "parent_id": category.parent_id}
        changed = now | with_category(body, "parent")
        categories.category_change(category_id=category.pk, version=version, **changed)
        return answer(request, category_id)

    @extend_schema(
        operation_id="categories_delete",
        tags=TAGS,
        summary="Delete an empty category",
        description="409 `category_in_use` where products or categories are in it.",
        parameters=[IF_MATCH],
        request=None,
        responses={204: GONE, 413: problem_response(413), 415: problem_response(415)},
    )
    def delete(self, request: Request, category_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request)
        category = category_of(category_id, deleted=True)
        version = if_match_version(request)
        validated(Nothing, request)
        categories.category_delete(category_id=category.pk, version=version)
        return Response(status=204)


class RestoreCategory(APIView):
    permission_classes = (staff_with("catalog.restore_category"),)

    @extend_schema(
        operation_id="categories_restore",
        tags=TAGS,
        summary="Restore a deleted category",
        request=Nothing,
        responses={200: CategoryOutput, 409: problem_response(409)},
    )
    def post(self, request: Request, category_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request)
        category = category_of(category_id, deleted=True)
        validated(Nothing, request)
        categories.category_restore(category_id=category.pk)
        return answer(request, category_id)


class PurgeCategory(APIView):
    permission_classes = (staff_with("catalog.purge_category"),)

    @extend_schema(
        operation_id="categories_purge",
        tags=TAGS,
        summary="Remove a deleted category for good",
        description="409 `in_use` where products or categories, deleted ones too, are in it.",
        request=Nothing,
        responses={204: GONE, 409: problem_response(409)},
    )
    def post(self, request: Request, category_id: UUID) -> HttpResponse:
        refuse_unknown_parameters(request)
        category = category_of(category_id, deleted=True)
        validated(Nothing, request)
        categories.category_purge(category_id=category.pk)
        return Response(status=204)
