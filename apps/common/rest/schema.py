"""How the API describes itself: OpenAPI 3.1 by drf-spectacular, errors included."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.permissions import AllowAny

from apps.common.rest.problems import MEDIA_TYPE
from apps.common.rest.serializers import StrictSerializer

IDEMPOTENCY_KEY = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    required=True,
    type={"type": "string", "minLength": 1, "maxLength": 255},
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
MONEY = {
    "type": "object",
    "required": ["amount", "currency"],
    "properties": {
        "amount": {"type": "string", "pattern": r"^-?\d{1,12}(\.\d{1,4})?$", "examples": ["12.34"]},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["GBP"]},
    },
}


def add_components(result: dict, generator, request, public) -> dict:
    """A postprocessing hook: the schemas that no serializer makes."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {"Problem": PROBLEM, "Money": MONEY}
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result


def problem_response(status: int) -> OpenApiResponse:
    """The problem a view documents beyond those that every operation has."""
    return OpenApiResponse({"$ref": "#/components/schemas/Problem"}, MEANINGS[status])


class ProblemSchema(AutoSchema):
    """Lists for each operation the problems it can answer with.

    A view adds its own with ``@extend_schema(responses={…, 409: problem_response(409)})``; the
    Idempotency-Key parameter brings 409 and 422 along.
    """

    def _get_response_bodies(self, direction="response") -> dict:
        responses = super()._get_response_bodies(direction)
        for status in self._problems():
            responses.setdefault(str(status), {"description": MEANINGS[status]})
        for status, response in responses.items():
            if status[0] in "45":
                schema = {"$ref": "#/components/schemas/Problem"}
                response["content"] = {MEDIA_TYPE: {"schema": schema}}
        return dict(sorted(responses.items()))

    def _problems(self) -> list[int]:
        problems = [400, 401, 406, 429, 503]
        if not any(isinstance(permission, AllowAny) for permission in self.view.get_permissions()):
            problems.append(403)
        if "{" in self.path:
            problems.append(404)
        if self.method in ("POST", "PUT", "PATCH"):
            problems += [413, 415]
        if IDEMPOTENCY_KEY in self.get_override_parameters():
            problems += [409, 422]
        return problems

    def _map_basic_serializer(self, serializer, direction) -> dict:
        schema = super()._map_basic_serializer(serializer, direction)
        if direction == "request" and isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        return schema


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
