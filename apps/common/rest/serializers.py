"""Serializers that refuse what they do not know."""

import threading
from collections.abc import Mapping
from typing import Any

from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError


class StrictSerializer(serializers.Serializer):
    """A serializer for which an unknown (or read-only) field is an error, at every level.

    Only for bodies: it builds nothing; hand ``validated_data`` to a facade or service.
    """

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(field.field_name for field in self._writable_fields)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        errors = {}
        if isinstance(data, Mapping):
            errors = {
                name: [ErrorDetail("Unknown field.", code="unknown_field")]
                for name in data
                if name not in self._known
            }
        try:
            value = super().to_internal_value(data)
        except ValidationError as exc:
            raise ValidationError(errors | exc.detail) from exc
        if errors:
            raise ValidationError(errors)
        return value


def validated(serializer: type[serializers.Serializer], request) -> dict[str, Any]:
    """The request's body as ``serializer`` validates it; raises ``ValidationError`` (400)."""
    return _instance(serializer).run_validation(request.data)


def _instance(serializer: type[serializers.Serializer]) -> serializers.Serializer:
    """The thread's own one of its kind: making one takes many times as long as using it, and
    validating leaves nothing behind in it."""
    known = _mine.__dict__
    if serializer not in known:
        known[serializer] = serializer()
    return known[serializer]


_mine = threading.local()
