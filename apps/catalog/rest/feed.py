"""The feed over HTTP: many changes of prices, attributes and stock from another system."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.mediatypes import _MediaType
from rest_framework.views import APIView

from apps.catalog import facade
from apps.catalog.contracts import FeedForm, FeedReport, LineOutcome, SendFeed
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import idempotency_key
from apps.common.rest.permissions import staff_with
from apps.common.rest.schema import IDEMPOTENCY_KEY, problem_response

LETTERS = {"w": LineOutcome.ACCEPTED, "d": LineOutcome.APPLIED, "e": LineOutcome.ERROR}
MAY_COUNT = "catalog.adjust_stock"
LINES = [
    {"sku": "KIT-1001", "price": {"amount": "21.50", "currency": "GBP"}},
    {"sku": "KIT-1002", "attributes": {"material": "oak", "colour": None}},
    {"id": "01890a5d-ac96-774b-bcce-b302099a8057", "stock": {"on_hand": 80}},
]
LINE = {
    "type": "object",
    "description": "A change of one product, named by `sku` or by `id`.",
    "properties": {
        "sku": {"type": "string", "maxLength": 64},
        "id": {"type": "string", "format": "uuid"},
        "price": {
            "type": "object",
            "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
        },
        "attributes": {
            "type": "object",
            "description": "Laid over those it has; null removes one.",
            "additionalProperties": True,
        },
        "stock": {
            "type": "object",
            "description": "One of the two: so many are in the house, so many came or went.",
            "properties": {"on_hand": {"type": "integer"}, "delta": {"type": "integer"}},
        },
    },
}
# Each line is judged by itself: a wrong one is an error in the answer, not of the request.
# Generators of clients know no lines of JSON: the description tells of them.
BODY = {"type": "array", "minItems": 1, "maxItems": 10_000, "items": {"anyOf": [LINE, {}]}}


class NdjsonParser(BaseParser):
    """The body as it is; its lines are read one by one."""

    media_type, form = "application/x-ndjson", FeedForm.NDJSON

    def parse(self, stream: Any, media_type=None, parser_context=None) -> tuple[FeedForm, bytes]:
        charset = _MediaType(media_type or "").params.get("charset", "utf-8")
        if charset.strip('"').lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(media_type)
        return self.form, stream.read()


class ArrayParser(NdjsonParser):
    media_type, form = "application/json", FeedForm.JSON


class FeedErrorOutput(serializers.Serializer):
    field = serializers.CharField(help_text="Empty: the line as a whole.")
    code = serializers.CharField()
    detail = serializers.CharField()


class FeedResultOutput(serializers.Serializer):
    line = serializers.IntegerField(help_text="Its number, from 1.")
    result = serializers.ChoiceField([one.value for one in LineOutcome])
    errors = FeedErrorOutput(many=True, required=False)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One waits, one is wrong",
            value={
                "accepted": 1,
                "applied": 0,
                "error": 1,
                "version": "3.1042",
                "results": [
                    {"line": 1, "result": "accepted"},
                    {
                        "line": 2,
                        "result": "error",
                        "errors": [
                            {
                                "field": "sku",
                                "code": "does_not_exist",
                                "detail": "There is no such product.",
                            }
                        ],
                    },
                ],
            },
        )
    ]
)
class FeedOutput(serializers.Serializer):
    """How many lines ended how, and each one's result."""

    accepted = serializers.IntegerField(
        help_text="Readers see them; the database has them a moment later."
    )
    applied = serializers.IntegerField(help_text="They are in the database.")
    error = serializers.IntegerField(help_text="Nothing of them was done.")
    version = serializers.CharField(
        allow_null=True, help_text="Of the newest edit that waits; null where none does."
    )
    results = FeedResultOutput(many=True)


class Feed(APIView):
    permission_classes = (staff_with("catalog.send_feed"),)
    parser_classes = (NdjsonParser, ArrayParser)

    @extend_schema(
        operation_id="catalog_feed",
        tags=["products"],
        summary="Send up to 10,000 changes of prices, attributes and stock",
        description="One JSON object a line (`application/x-ndjson`) or an array of them "
        "(`application/json`). Prices and attributes are seen by every reader at once and written "
        "to the database in sets a moment later (202); stock is counted in the same request, with "
        "its ledger, and needs the permission to adjust it. Each line ends by itself as "
        "`accepted`, `applied` or `error`: nothing of a bad one is done, and it hurts no other. "
        "A product may stand in several lines; they count in their order.",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": BODY},
        examples=[OpenApiExample("Three changes", value=LINES, request_only=True)],
        responses={
            200: OpenApiResponse(FeedOutput, "Nothing waits."),
            202: OpenApiResponse(FeedOutput, "Some of it waits to be written."),
            409: problem_response(409),
        },
    )
    def post(self, request: Request) -> Response:
        refuse_unknown_parameters(request)
        key = idempotency_key(request)
        # The framework parses no empty body.
        form, body = request.data or (FeedForm.NDJSON, b"")
        report = facade.send_feed(
            SendFeed(
                key=key,
                principal=f"staff:{request.user.public_id}",
                form=form,
                body=body,
                counts=request.user.has_perm(MAY_COUNT),
            )
        )
        data = report_data(report)
        return Response(data, status=202 if data["accepted"] else 200)


def report_data(report: FeedReport) -> dict[str, Any]:
    """The report as it is sent."""
    numbers = report.numbers or range(1, len(report.outcomes) + 1)
    results: list[dict[str, Any]] = [
        {"line": number, "result": LETTERS[letter].value}
        for number, letter in zip(numbers, report.outcomes, strict=True)
    ]
    if report.errors:
        by_line = {one["line"]: one for one in results}
        for error in report.errors:
            by_line[error.line].setdefault("errors", []).append(
                {"field": error.field, "code": error.code, "detail": error.detail}
            )
    return {
        "accepted": report.outcomes.count("w"),
        "applied": report.outcomes.count("d"),
        "error": report.outcomes.count("e"),
        "version": report.version or None,
        "results": results,
    }
