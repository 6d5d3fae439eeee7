"""Serializers that refuse what they do not know."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError


class StrictSerializer(serializers.Serializer):
    """A serializer for which an unknown (or read-only) field is an error, at every level.

    Only for bodies: it builds nothing; hand ``validated_data`` to a facade or service.
    """

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        errors = {}
        if isinstance(data, Mapping):
            known = {field.field_name for field in self._writable_fields}
            errors = {
                name: [ErrorDetail("Unknown field.", code="unknown_field")]
                for name in data
                if name not in known
            }
        try:
            value = super().to_internal_value(data)
        except ValidationError as exc:
            raise ValidationError(errors | exc.detail) from exc
        if errors:
            raise ValidationError(errors)
        return value


def validated(serializer: type[serializers.Serializer], request, **kwargs) -> dict[str, Any]:
    """The request's body as ``serializer`` validates it; raises ``ValidationError`` (400)."""
    bound = serializer(data=request.data, context={"request": request}, **kwargs)
    bound.is_valid(raise_exception=True)
    return bound.validated_data
