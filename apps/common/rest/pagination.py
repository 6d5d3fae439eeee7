"""Pages by cursor: the next page starts after the last row seen, however the table has changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Q, QuerySet
from moneyed import Money
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from apps.common.errors import InvalidInput

DEFAULT_LIMIT, MAX_LIMIT, MAX_CURSOR = 20, 100, 2_000
PARAMETERS = ("cursor", "limit", "ordering")
SIGNER = signing.Signer(salt="holdfast.cursor")


@dataclass(frozen=True)
class Column:
    """A column of the order; ``name`` is the model's."""

    name: str
    descending: bool

    def flipped(self) -> "Column":
        return Column(self.name, not self.descending)

    def __str__(self) -> str:
        return f"-{self.name}" if self.descending else self.name


class CursorPagination(BasePagination):
    """``{next, previous, results}`` of a queryset, ``limit`` 1-100 (default 20).

    The view says ``ordering = ("-placed_at",)`` and, if callers may choose, ``ordering_fields``:
    names, or a mapping from public name to column. Columns must not be NULL. A unique column is
    appended, so that the order is total: the view's ``ordering_unique``, else the model's
    ``public_id``, else its primary key. Cursors are
    signed: one that was tampered with, or belongs to another order, is a 400 naming ``cursor``.
    """

    parameters = PARAMETERS

    def paginate_queryset(self, queryset: QuerySet, request, view=None) -> list:
        self.url = request.build_absolute_uri()
        limit = wanted_limit(request)
        self.columns = columns_of(view, queryset.model, request.query_params.get("ordering"))
        cursor = request.query_params.get("cursor")
        backward, position = self._decode(cursor) if cursor is not None else (False, None)
        columns = [column.flipped() for column in self.columns] if backward else self.columns
        if position is not None:
            values = [
                _to_python(queryset.model, column.name, value)
                for column, value in zip(columns, position, strict=True)
            ]
            queryset = queryset.filter(_beyond(columns, values))
        rows = list(queryset.order_by(*map(str, columns))[: limit + 1])
        more, rows = len(rows) > limit, rows[:limit]
        if backward:
            rows.reverse()
        self.next = self._link(rows[-1:], False) if (more or backward) else None
        self.previous = self._link(rows[:1], True) if (more if backward else position) else None
        return rows

    def get_paginated_response(self, data: Sequence) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def _link(self, edge: list, backward: bool) -> str | None:
        if not edge:
            return remove_query_param(self.url, "cursor") if backward else None
        position = [_value(edge[0], column.name) for column in self.columns]
        cursor = SIGNER.sign_object([[str(c) for c in self.columns], backward, position])
        return replace_query_param(self.url, "cursor", cursor)

    def _decode(self, cursor: str) -> tuple[bool, list[str]]:
        try:
            if len(cursor) > MAX_CURSOR:
                raise signing.BadSignature()
            columns, backward, position = SIGNER.unsign_object(cursor)
        except signing.BadSignature:
            raise InvalidInput.field("cursor", "invalid", "Not a cursor of this list.") from None
        if columns != [str(column) for column in self.columns]:
            raise InvalidInput.field("cursor", "invalid", "A cursor of another ordering.")
        return backward, position

    def get_paginated_response_schema(self, schema: dict) -> dict:
        link = {"type": ["string", "null"], "format": "uri"}
        following = link | {"example": "https://shop.example/api/v1/products?cursor=WyJuYW1lIl0"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": following | {"description": "The page after this one, if there is one."},
                "previous": link | {"example": None, "description": "The page before this one."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view) -> list[dict]:
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        parameters = [("cursor", {"type": "string"}), ("limit", limit)]
        if names := sorted(getattr(view, "ordering_fields", ())):
            choices = [*names, *(f"-{name}" for name in names)]
            parameters.append(("ordering", {"type": "string", "enum": choices}))
        return [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in parameters
        ]


def paged(view, request, queryset: QuerySet, represent: Callable[[Any], Any]) -> Response:
    """One page of ``queryset``, each row through ``represent``; for views without a serializer."""
    paginator = CursorPagination()
    rows = paginator.paginate_queryset(queryset, request, view)
    return paginator.get_paginated_response([represent(row) for row in rows])


def wanted_limit(request: Request) -> int:
    """The ``limit`` asked for; raises ``InvalidInput`` for one that is out of bounds."""
    raw = request.query_params.get("limit")
    if raw is None:
        return DEFAULT_LIMIT
    if raw.isascii() and raw.isdigit() and len(raw) <= 3 and 1 <= int(raw) <= MAX_LIMIT:
        return int(raw)
    raise InvalidInput.field("limit", "invalid", f"Must be a whole number from 1 to {MAX_LIMIT}.")


def columns_of(view, model: type[Model], wanted: str | None) -> list[Column]:
    """The order of the view's list, or the one ``wanted``, ended by a unique column."""
    names = list(getattr(view, "ordering", ()))
    if wanted is not None:
        allowed = getattr(view, "ordering_fields", ())
        name = wanted.removeprefix("-")
        if name not in allowed:
            raise InvalidInput.field("ordering", "invalid_choice", _choices(allowed))
        column = allowed[name] if isinstance(allowed, Mapping) else name
        names = [f"-{column}" if wanted.startswith("-") else column]
    columns = [Column(name.removeprefix("-"), name.startswith("-")) for name in names]
    unique = getattr(view, "ordering_unique", "public_id" if _field(model, "public_id") else "pk")
    if unique not in {column.name for column in columns}:
        columns.append(Column(unique, bool(columns) and columns[0].descending))
    return columns


def _choices(allowed) -> str:
    names = ", ".join(sorted(allowed))
    return f"One of {names}; a leading - reverses it." if names else "This list has one order."


def _field(model: type[Model], name: str):
    try:
        return model._meta.pk if name == "pk" else model._meta.get_field(name)
    except FieldDoesNotExist:  # an annotation of the queryset
        return None


def _to_python(model: type[Model], name: str, value: str) -> Any:
    field = _field(model, name)
    return value if field is None else field.to_python(value)


def _value(row: Any, name: str) -> str:
    value = row[name] if isinstance(row, dict) else getattr(row, name)
    return str(value.amount if isinstance(value, Money) else value)


def _beyond(columns: Sequence[Column], values: Sequence[Any]) -> Q:
    """Rows after ``values`` in the order of ``columns``: a < x, or a = x and b < y, and so on."""
    beyond, equal = Q(), Q()
    for column, value in zip(columns, values, strict=True):
        operator = "lt" if column.descending else "gt"
        beyond |= equal & Q(**{f"{column.name}__{operator}": value})
        equal &= Q(**{column.name: value})
    # Implied by the above, but a single condition is what an index can start from.
    first, bound = columns[0], "lte" if columns[0].descending else "gte"
    return Q(**{f"{first.name}__{bound}": values[0]}) & beyond
