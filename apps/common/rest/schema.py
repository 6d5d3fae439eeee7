"""How the API describes itself: OpenAPI 3.1 by drf-spectacular, errors included."""

from http import HTTPStatus

from django_filters import NumberFilter
from drf_spectacular.contrib.django_filters import DjangoFilterExtension
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.permissions import AllowAny
from rest_framework.serializers import Serializer

from apps.common.rest.filters import decimal_pattern
from apps.common.rest.problems import MEDIA_TYPE
from apps.common.rest.serializers import StrictSerializer

# Printable ASCII, bare or quoted.
KEY_PATTERN = r'^([!#-~]([ -~]*[!-~])?|"[ !#-\[\]-~]+")$'
IDEMPOTENCY_KEY = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    required=True,
    type={"type": "string", "pattern": KEY_PATTERN, "maxLength": 255},
    description="Names this request (IETF draft-07): sent again with the same key within 24 hours "
    "it has no second effect and gets the first answer.",
)
PREFER_WAIT = OpenApiParameter(
    name="Prefer",
    location=OpenApiParameter.HEADER,
    type={"type": "string", "examples": ["wait=5"]},
    description="`wait=N` (RFC 7240): wait up to N seconds for the final state.",
)
IF_NONE_MATCH = OpenApiParameter(
    name="If-None-Match",
    location=OpenApiParameter.HEADER,
    type={"type": "string"},
    description="ETags the caller has; 304 if one of them is current.",
)
IF_MATCH_PATTERN = r'^"\d{1,18}(\.[0-9a-f]{32})?"$'
IF_MATCH = OpenApiParameter(
    name="If-Match",
    location=OpenApiParameter.HEADER,
    type={"type": "string", "pattern": IF_MATCH_PATTERN, "examples": ['"7"']},
    description="The ETag of what you read; 409 `version_conflict` if it has changed since.",
)

MEANINGS = {
    400: "The request is malformed or has invalid values; `errors` names the fields.",
    401: "Not logged in, or the session token is no longer good.",
    403: "Logged in, but not allowed.",
    404: "There is no such thing, or it is somebody else's.",
    405: "The address does not know this method.",
    406: "Only `application/json` is spoken here.",
    409: "The present state does not allow this; re-read and decide again.",
    413: "The body is too large.",
    415: "The body must be `application/json`.",
    422: "The Idempotency-Key was used for another request.",
    429: "Too many requests; `Retry-After` says when to come back.",
    500: "Something broke on our side; quote the request id when you report it.",
    503: "A part that is needed does not answer; try again.",
}

PROBLEM = {
    "type": "object",
    "description": "An error (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable and machine-readable."},
        "request_id": {"type": "string", "description": "Also in `X-Request-ID` and in the logs."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string", "examples": ["lines[0].quantity"]},
                    "code": {"type": "string", "examples": ["min_value"]},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
# Name of the response among the components, and its example's code and detail.
PROBLEMS = {
    400: ("BadRequest", "invalid", "The request has invalid values"),
    401: ("Unauthorized", "not_authenticated", "Authentication credentials were not provided."),
    403: ("Forbidden", "permission_denied", "You do not have permission to perform this action."),
    404: ("NotFound", "not_found", "Not Found"),
    405: ("MethodNotAllowed", "method_not_allowed", 'Method "PUT" not allowed.'),
    406: ("NotAcceptable", "not_acceptable", "Could not satisfy the request Accept header."),
    409: ("Conflict", "version_conflict", "It was changed meanwhile; it is at version 8 now."),
    413: ("ContentTooLarge", "body_too_large", "The body may have at most 1048576 bytes."),
    415: ("UnsupportedMediaType", "unsupported_media_type", 'Unsupported media type "text/xml".'),
    422: (
        "UnprocessableContent",
        "idempotency_key_reused",
        "The key was used for another request.",
    ),
    429: (
        "TooManyRequests",
        "throttled",
        "Request was throttled. Expected available in 27 seconds.",
    ),
    500: ("InternalError", "internal_error", "Something broke on our side."),
    503: ("ServiceUnavailable", "unavailable", "A part of the shop does not answer. Try again."),
}
REQUEST_ID = "5b6a1e2cbd0a4a51a2a4c3a6b86e2f0d"
HEADERS = {
    "RequestId": {
        "description": "Names the request in the logs; the caller's own if one was sent.",
        "required": True,
        "schema": {"type": "string"},
        "example": REQUEST_ID,
    },
    "RetryAfter": {
        "description": "Seconds after which the same request may succeed.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
        "example": 27,
    },
    "ETag": {
        "description": "The version of what is answered, for `If-None-Match` or `If-Match`.",
        "required": True,
        "schema": {"type": "string"},
        "example": '"7"',
    },
}
EXPOSED = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
LATER = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}

MONEY = {
    "type": "object",
    "required": ["amount", "currency"],
    "additionalProperties": False,
    "properties": {
        "amount": {"type": "string", "pattern": r"^-?\d{1,12}(\.\d{1,4})?$", "examples": ["12.34"]},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["GBP"]},
    },
}


def add_components(result: dict, generator, request, public) -> dict:
    """A postprocessing hook: the schemas, headers and problems that no serializer makes."""
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {}) | {"Problem": PROBLEM, "Money": MONEY}
    components["schemas"] = dict(sorted(schemas.items()))
    components["headers"] = HEADERS
    components["responses"] = {PROBLEMS[status][0]: problem(status) for status in PROBLEMS}
    return result


def problem(status: int) -> dict:
    """The answer with that status in OpenAPI, with an example of its document."""
    _, code, detail = PROBLEMS[status]
    document = {
        "type": f"urn:holdfast:problem:{code}",
        "title": MEANINGS[status].partition(";")[0].rstrip("."),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": REQUEST_ID,
    }
    if status == 400:
        error = {"field": "lines[0].quantity", "code": "min_value", "detail": "At least 1."}
        document["errors"] = [error]
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": MEANINGS[status],
        "headers": EXPOSED | (LATER if status in (429, 503) else {}),
        "content": {MEDIA_TYPE: {"schema": schema, "example": document}},
    }


def problem_ref(status: int) -> dict:
    """A reference to the problem with that status."""
    return {"$ref": f"#/components/responses/{PROBLEMS[status][0]}"}


def problem_response(status: int) -> OpenApiResponse:
    """The problem a view documents beyond those that every operation has."""
    return OpenApiResponse({"$ref": "#/components/schemas/Problem"}, MEANINGS[status])


class ProblemSchema(AutoSchema):
    """Lists for each operation the problems it can answer with.

    A view adds its own with ``@extend_schema(responses={…, 409: problem_response(409)})``; the
    Idempotency-Key parameter brings 409 and 422 along, If-Match 409.
    """

    def _get_response_bodies(self, direction="response") -> dict:
        responses = super()._get_response_bodies(direction)
        for status in self._problems():
            responses.setdefault(str(status), {"description": MEANINGS[status]})
        for status, response in responses.items():
            if status[0] in "45":
                responses[status] = self._as_problem(int(status), response["description"])
            else:
                response["headers"] = EXPOSED | response.get("headers", {})
                response["description"] = response["description"] or HTTPStatus(int(status)).phrase
        if "304" in responses:
            for status in ("200", "304"):
                responses[status]["headers"]["ETag"] = {"$ref": "#/components/headers/ETag"}
        return dict(sorted(responses.items()))

    def _as_problem(self, status: int, description: str) -> dict:
        """The common component, unless the view says something of its own about it."""
        if description in ("", MEANINGS[status]):
            return problem_ref(status)
        return problem(status) | {"description": description}

    def get_summary(self) -> str:
        """The view's own, else the first line of its docstring."""
        return super().get_summary() or self.get_description().partition("\n")[0].rstrip(".")

    def _problems(self) -> list[int]:
        problems = [400, 401, 406, 429, 500, 503]
        if not any(isinstance(permission, AllowAny) for permission in self.view.get_permissions()):
            problems.append(403)
        if "{" in self.path:
            problems.append(404)
        if self.method in ("POST", "PUT", "PATCH"):
            problems += [413, 415]
        if IDEMPOTENCY_KEY in self.get_override_parameters():
            problems += [409, 422]
        if IF_MATCH in self.get_override_parameters():
            problems.append(409)
        return problems

    def _get_request_body(self, direction="request") -> dict | None:
        """Where no field is demanded, no body is either; a schema written out demands one."""
        body = super()._get_request_body(direction)
        serializer = force_instance(self.get_request_serializer()) if body else None
        if isinstance(serializer, dict):
            body["required"] = True
        if isinstance(serializer, Serializer) and not serializer.partial:
            demanded = any(field.required for field in serializer._writable_fields)
            body["required"] = demanded
        return body

    def _map_basic_serializer(self, serializer, direction) -> dict:
        schema = super()._map_basic_serializer(serializer, direction)
        if direction == "request" and isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        return schema


class StrictFilters(DjangoFilterExtension):
    """Tells of filters what their form fields demand: lengths, and how decimals are written."""

    target_class = "apps.common.rest.filters.StrictFilterBackend"
    match_subclasses = True
    priority = 1

    def resolve_filter_field(self, auto_schema, model, filterset_class, field_name, filter_field):
        parameters = super().resolve_filter_field(
            auto_schema, model, filterset_class, field_name, filter_field
        )
        for parameter in parameters:
            self._narrow(parameter["schema"], filter_field)
        return parameters

    def _narrow(self, schema: dict, filter_field) -> None:
        extra = filter_field.extra
        if isinstance(filter_field, NumberFilter) and "max_digits" in extra:
            names = ("max_digits", "decimal_places")
            pattern = decimal_pattern(**{name: extra[name] for name in names})
            schema.clear()
            schema |= {"type": "string", "pattern": pattern, "examples": ["12.50"]}
        elif "max_length" in extra:
            schema["maxLength"] = extra["max_length"]
            if "min_length" in extra:
                schema["minLength"] = extra["min_length"]


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "apps.common.rest.authentication.TokenAuthentication"
    name = "sessionToken"

    def get_security_definition(self, auto_schema) -> dict:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-Session-Token",
            "description": "`meta.session_token` from `POST /_allauth/app/v1/auth/login`.",
        }


class BrowserScheme(OpenApiAuthenticationExtension):
    target_class = "apps.common.rest.authentication.BrowserAuthentication"
    name = "browserSession"

    def get_security_definition(self, auto_schema) -> dict:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The login of the admin; writes need the CSRF token.",
        }
