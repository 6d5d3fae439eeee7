"""Filters by django-filter; a query parameter nobody knows is an error, not silence."""

from collections.abc import Iterable

from django_filters.rest_framework import DjangoFilterBackend

from apps.common.errors import FieldError, InvalidInput


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
        return super().filter_queryset(request, queryset, view)


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
