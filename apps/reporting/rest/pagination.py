"""Lists that can be read by cursor, or by the number of a page with the total beside it."""

from collections.abc import Sequence
from math import ceil

from django.db.models import QuerySet
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from apps.common.errors import InvalidInput
from apps.common.rest.pagination import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    PARAMETERS,
    CursorPagination,
    columns_of,
)

PAGE, PAGE_SIZE = "page", "page_size"
LAST_PAGE = 1_000_000
COUNTS = {
    "total": "How many there are.",
    "total_pages": "How many pages of this size.",
    PAGE: "The number of this page.",
    PAGE_SIZE: "How many fit on a page.",
}


class NumberedPagination(CursorPagination):
    """As ``CursorPagination``; with ``page`` (from 1) or ``page_size`` (1-100, default 20) pages
    are numbered instead, and ``total`` and ``total_pages`` are counted."""

    parameters = (*PARAMETERS, PAGE, PAGE_SIZE)

    def paginate_queryset(self, queryset: QuerySet, request, view=None) -> list:
        given = request.query_params
        self.counts = None
        if PAGE not in given and PAGE_SIZE not in given:
            return super().paginate_queryset(queryset, request, view)
        if "cursor" in given or "limit" in given:
            text = "Pages go either by number or by cursor."
            raise InvalidInput.field(PAGE, "exclusive", text)
        number = _number(PAGE, given.get(PAGE), 1, LAST_PAGE)
        size = _number(PAGE_SIZE, given.get(PAGE_SIZE), DEFAULT_LIMIT, MAX_LIMIT)
        self.url = request.build_absolute_uri()
        total = queryset.order_by().count()
        pages = ceil(total / size)
        self.counts = {"total": total, "total_pages": pages, PAGE: number, PAGE_SIZE: size}
        self.next = self._page(number + 1) if number < pages else None
        self.previous = self._page(number - 1) if number > 1 else None
        columns = columns_of(view, queryset.model, given.get("ordering"))
        rows = queryset.order_by(*map(str, columns))
        return list(rows[(number - 1) * size : number * size])

    def get_paginated_response(self, data: Sequence) -> Response:
        page = {"next": self.next, "previous": self.previous}
        return Response(page | (self.counts or {}) | {"results": data})

    def get_paginated_response_schema(self, schema: dict) -> dict:
        page = super().get_paginated_response_schema(schema)
        page["properties"] |= {
            name: {"type": "integer", "description": f"{text} Only where pages are numbered."}
            for name, text in COUNTS.items()
        }
        return page

    def get_schema_operation_parameters(self, view) -> list[dict]:
        number = {"type": "integer", "minimum": 1, "maximum": LAST_PAGE}
        size = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        return super().get_schema_operation_parameters(view) + [
            {"name": name, "in": "query", "required": False, "schema": schema, "description": text}
            for name, schema, text in (
                (PAGE, number, "The page with this number, instead of a cursor."),
                (PAGE_SIZE, size, "How many on a numbered page."),
            )
        ]

    def _page(self, number: int) -> str:
        return replace_query_param(self.url, PAGE, number)


def _number(name: str, raw: str | None, default: int, most: int) -> int:
    if raw is None:
        return default
    if raw.isascii() and raw.isdigit() and len(raw) <= 9 and 1 <= int(raw) <= most:
        return int(raw)
    raise InvalidInput.field(name, "invalid", f"Must be a whole number from 1 to {most}.")
