"""Filters by django-filter; a query parameter nobody knows is an error, not silence."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from django import forms
from django.core.exceptions import ValidationError
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend, IsoDateTimeFilter

from apps.common.errors import FieldError, InvalidInput


class MomentField(IsoDateTimeField):
    """A time as ISO 8601 has it, in UTC: PostgreSQL does not know every offset that Python does."""

    def to_python(self, value: str | None) -> datetime | None:
        moment = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError("Not a time that can be stored.", code="invalid") from None


class MomentFilter(IsoDateTimeFilter):
    """Compares with a moment, such as ``2026-11-20T09:30:00Z``."""

    field_class = MomentField


class StrictFilterBackend(DjangoFilterBackend):
    """The view's ``filterset_class``; other parameters only if the paginator or the view's
    ``query_parameters`` names them."""

    def filter_queryset(self, request, queryset, view):
        filterset = self.get_filterset(request, queryset, view)
        known = set(filterset.form.fields) if filterset is not None else set()
        known |= set(getattr(view, "query_parameters", ()))
        if getattr(view, "pagination_class", None) is not None:
            known |= set(getattr(view.pagination_class, "parameters", ()))
        refuse_unknown_parameters(request, known)
        if filterset is not None:
            errors = list(_malformed(filterset.form.fields, request.query_params))
            if errors:
                raise InvalidInput(errors=errors)
        return super().filter_queryset(request, queryset, view)


def decimal_pattern(*, max_digits: int, decimal_places: int) -> str:
    """How a decimal is written in a query: plain digits, no sign, no exponent."""
    return rf"^\d{{1,{max_digits - decimal_places}}}(\.\d{{1,{decimal_places}}})?$"


def _malformed(fields: Mapping[str, forms.Field], given: Mapping[str, str]) -> Iterator[FieldError]:
    """What Django's forms would overlook or read generously: ``?in_stock=``, ``?min_price=1e3``."""
    for name, field in fields.items():
        value = given.get(name)
        if value is None:
            continue
        if value == "" and type(field) is not forms.CharField:
            yield FieldError(name, "blank", "May not be empty; leave it out instead.")
        elif isinstance(field, forms.DecimalField) and field.max_digits is not None:
            pattern = decimal_pattern(
                max_digits=field.max_digits, decimal_places=field.decimal_places
            )
            if not re.fullmatch(pattern, value, re.ASCII):
                yield FieldError(name, "invalid", "Must be a plain number such as 12 or 12.50.")


def refuse_unknown_parameters(request, known: Iterable[str] = ()) -> None:
    """Raises a 400 naming every query parameter that is not ``known``."""
    known = set(known)
    errors = [
        FieldError(name[:100], "unknown_parameter", "Unknown query parameter.")
        for name in request.query_params
        if name not in known
    ]
    if errors:
        raise InvalidInput(errors=errors)
