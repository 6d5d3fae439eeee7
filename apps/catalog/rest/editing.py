"""Changes of a product that readers see before the database has them."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from apps.catalog import facade
from apps.catalog.contracts import EditProduct, LineOutcome
from apps.catalog.rest.inputs import ProductPatch
from apps.catalog.rest.serializers import ProductSerializer
from apps.common.errors import FieldError, InvalidInput
from apps.common.rest.serializers import validated

DIRECT, WRITE_BEHIND = "direct", "write-behind"
FED = ("price", "attributes")
MODE = OpenApiParameter(
    "mode",
    enum=(DIRECT, WRITE_BEHIND),
    default=DIRECT,
    description="Whether the database or the readers come first.",
)


class EditedProduct(serializers.Serializer):
    """The product as readers see it from now on."""

    result = serializers.ChoiceField([LineOutcome.ACCEPTED.value, LineOutcome.APPLIED.value])
    version = serializers.CharField(
        allow_null=True, help_text="Of the edit while it waits; not that of the product."
    )
    product = ProductSerializer()


def wanted_mode(request: Request) -> str:
    """``mode``; raises ``InvalidInput`` for one that is none."""
    raw = request.query_params.get("mode", DIRECT)
    if raw not in (DIRECT, WRITE_BEHIND):
        text = f"One of {DIRECT}, {WRITE_BEHIND}."
        raise InvalidInput.field("mode", "invalid_choice", text)
    return raw


def edit(request: Request, public_id: UUID) -> dict[str, Any]:
    """Keeps the change in the body; raises ``InvalidInput`` naming the fields that cannot wait."""
    body = validated(ProductPatch, request)
    if others := [name for name in body if name not in FED]:
        text = "Only price and attributes may be written behind."
        raise InvalidInput(errors=[FieldError(name, "not_in_this_mode", text) for name in others])
    if "price" not in body and not body.get("attributes"):
        raise InvalidInput.field("price", "required", "Give a price or attributes.")
    principal = f"staff:{request.user.public_id}"
    done = facade.edit_product(EditProduct(principal, public_id, **body))
    return {"result": done.result, "version": done.version or None}
