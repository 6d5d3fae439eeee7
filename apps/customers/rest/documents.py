"""allauth's addresses in the shop's schema: the flows an app needs, as they are open here.

allauth's own document (headless/spec) has neither operation ids nor all statuses, and describes
flows that are closed here.
"""

from typing import Any

from apps.common.rest.schema import EXPOSED, LATER, problem_ref

BASE = "/_allauth/app/v1"
STATUS = {"type": "integer", "description": "The same as the status of the answer."}
EMAIL = {"type": "string", "format": "email", "maxLength": 254}
PASSWORD = {"type": "string", "minLength": 1, "maxLength": 128}
TOKEN = [{"sessionToken": []}]
CODE = {"type": "string", "minLength": 1, "maxLength": 64}


def _object(properties: dict[str, dict], *optional: str, **words: Any) -> dict:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties} | words


def _ref(name: str) -> dict:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: dict) -> dict:
    return {"type": "array", "items": items}


META = _object(
    {
        "is_authenticated": {
            "type": ["boolean", "null"],
            "description": "Null where the session token is not good any more.",
            "examples": [True],
        },
        "session_token": {
            "type": "string",
            "description": "Send it as `X-Session-Token` from now on.",
            "examples": ["q7w2m5r8t1y4u6i9o3p0a5s8d2f7g1h4"],
        },
    },
    "session_token",
)
SCHEMAS = {
    "AccountUser": _object(
        {
            "id": {"type": "string", "format": "uuid"},
            "display": {"type": "string", "examples": ["Ada Lovelace"]},
            "email": {"type": "string", "format": "email"},
            "has_usable_password": {"type": "boolean"},
        }
    ),
    "AccountMeta": META,
    "AccountFlow": _object(
        {
            "id": {"type": "string", "examples": ["verify_email"]},
            "is_pending": {
                "type": "boolean",
                "description": "This is what is to be done now.",
            },
        },
        "is_pending",
    ),
    "AccountError": _object(
        {
            "message": {"type": "string", "examples": ["Enter a valid email address."]},
            "code": {"type": "string", "examples": ["invalid"]},
            "param": {"type": "string", "examples": ["email"]},
        },
        "param",
    ),
    "AccountSession": _object(
        {
            "status": STATUS | {"const": 200},
            "data": _object(
                {"user": _ref("AccountUser"), "methods": _list({"type": "object"})}, "methods"
            ),
            "meta": _ref("AccountMeta"),
        },
        description="Logged in.",
    ),
    "AccountPending": _object(
        {
            "status": STATUS | {"enum": [401, 410]},
            "data": _object({"flows": _list(_ref("AccountFlow"))}),
            "meta": _ref("AccountMeta"),
        },
        description="Not logged in; `flows` says what can be done, and what has been begun.",
    ),
    "AccountErrors": _object(
        {"status": STATUS | {"const": 400}, "errors": _list(_ref("AccountError"))}, "errors"
    ),
    "AccountStatus": _object({"status": STATUS}, description="Says no more than its status."),
    "AccountEmails": _object(
        {
            "status": STATUS | {"const": 200},
            "data": _list(
                _object(
                    {
                        "email": {"type": "string", "format": "email"},
                        "primary": {"type": "boolean"},
                        "verified": {"type": "boolean"},
                    }
                )
            ),
            "meta": _ref("AccountMeta"),
        },
        "meta",
    ),
    "AccountSessions": _object(
        {
            "status": STATUS | {"const": 200},
            "data": _list(
                _object(
                    {
                        "id": {"type": "integer"},
                        "user_agent": {"type": "string", "examples": ["Holdfast/1.4 (Android)"]},
                        "ip": {"type": "string", "examples": ["192.0.2.7"]},
                        "created_at": {"type": "number", "description": "Seconds since 1970."},
                        "is_current": {"type": "boolean"},
                    }
                )
            ),
        }
    ),
    "AccountConfig": _object(
        {"status": STATUS | {"const": 200}, "data": {"type": "object"}},
        description="What is open: sign-up, ways to log in, second factors.",
    ),
}
MEANINGS = {
    200: "Done.",
    400: "The values are not acceptable; `errors` names them.",
    401: "Not logged in (yet): `flows` says what comes next.",
    403: "Not open, or not without logging in again.",
    404: "There is no such thing.",
    409: "Not now: already logged in, nothing pending, or taken meanwhile.",
    410: "The session is over: log in again.",
    429: "Too many tries; `Retry-After` says when to come back.",
    503: "The message could not be sent; try again.",
}
ANSWERS = {
    200: "AccountSession",
    400: "AccountErrors",
    401: "AccountPending",
    403: "AccountStatus",
    404: "AccountStatus",
    409: "AccountStatus",
    410: "AccountPending",
    429: "AccountStatus",
}


def _operation(
    name: str, summary: str, *statuses: int, body: dict | None = None, **options: Any
) -> dict:
    """One operation; ``options``: ``ok`` (schema of the 200), ``security``, ``key`` (header),
    ``problem`` (answered as a problem document)."""
    words = ANSWERS | ({200: options["ok"]} if "ok" in options else {})
    responses: dict[str, dict] = {}
    for status in sorted({429, *statuses}):
        responses[str(status)] = {
            "description": MEANINGS[status],
            "headers": EXPOSED | (LATER if status == 429 else {}),
            "content": {"application/json": {"schema": _ref(words[status])}},
        }
    responses |= {str(status): problem_ref(status) for status in (500, 503)}
    operation: dict[str, Any] = {
        "operationId": f"account_{name}",
        "summary": summary,
        "tags": ["account"],
        "security": options.get("security", [{}, {"sessionToken": []}]),
        "responses": responses,
    }
    if "key" in options:
        operation["parameters"] = [options["key"]]
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body}},
        }
        responses["413"] = problem_ref(413)
    if "problem" in options:
        responses[str(options["problem"])] = problem_ref(options["problem"])
    operation["responses"] = dict(sorted(responses.items()))
    return operation


def _key(name: str) -> dict:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "schema": {"type": "string"},
        "description": "The code that was mailed.",
    }


PATHS = {
    "/config": {
        "get": _operation("config", "What is open to whom", 200, ok="AccountConfig", security=[])
    },
    "/auth/signup": {
        "post": _operation(
            *("sign_up", "Become a customer", 200, 400, 401, 403, 409),
            security=[],
            body=_object(
                {
                    "email": EMAIL,
                    "password": PASSWORD | {"examples": ["four-quiet-brown-hens"]},
                    "name": {"type": "string", "maxLength": 200, "examples": ["Ada Lovelace"]},
                }
            ),
        )
    },
    "/auth/email/verify": {
        "get": _operation(
            *("verify_email_peek", "Whose address a code confirms", 200, 400, 409),
            ok="AccountStatus",
            key=_key("X-Email-Verification-Key"),
        ),
        "post": _operation(
            *("verify_email", "Confirm the address with the mailed code", 200, 400, 401, 409),
            body=_object({"key": CODE | {"examples": ["6XRVJ7"]}}),
        ),
    },
    "/auth/email/verify/resend": {
        "post": _operation(
            "resend_verification", "Mail the code again", 200, 403, 409, ok="AccountStatus"
        )
    },
    "/auth/login": {
        "post": _operation(
            *("log_in", "Log in for a session token", 200, 400, 401, 409),
            security=[],
            body=_object(
                {"email": EMAIL, "password": PASSWORD | {"examples": ["four-quiet-brown-hens"]}}
            ),
        )
    },
    "/auth/session": {
        "get": _operation("session", "Who is logged in", 200, 401, 410),
        "delete": _operation("log_out", "End this session", 401, 410),
    },
    "/auth/sessions": {
        "get": _operation(
            *("sessions", "Where I am logged in", 200, 401, 410),
            ok="AccountSessions",
            security=TOKEN,
        ),
        "delete": _operation(
            *("end_sessions", "Log out elsewhere", 200, 400, 401, 410),
            ok="AccountSessions",
            security=TOKEN,
            body=_object({"sessions": _list({"type": "integer"})}),
        ),
    },
    "/auth/password/request": {
        "post": _operation(
            *("request_password_reset", "Mail a code for a new password", 200, 400, 401),
            body=_object({"email": EMAIL}),
        )
    },
    "/auth/password/reset": {
        "get": _operation(
            *("reset_password_peek", "Whose password a code resets", 200, 400, 409),
            ok="AccountStatus",
            key=_key("X-Password-Reset-Key"),
        ),
        "post": _operation(
            *("reset_password", "Choose a new password with the mailed code", 200, 400, 401, 409),
            body=_object(
                {
                    "key": CODE | {"examples": ["7KQ4TP"]},
                    "password": PASSWORD | {"examples": ["five-loud-white-geese"]},
                }
            ),
        ),
    },
    "/account/password/change": {
        "post": _operation(
            *("change_password", "Change my password", 200, 400, 401, 410),
            security=TOKEN,
            problem=403,
            body=_object(
                {
                    "current_password": PASSWORD | {"examples": ["four-quiet-brown-hens"]},
                    "new_password": PASSWORD | {"examples": ["five-loud-white-geese"]},
                },
                "current_password",
            ),
        )
    },
}


def add_account(result: dict, generator, request, public) -> dict:
    """A postprocessing hook: the account's paths and schemas."""
    result["paths"] |= {BASE + path: item for path, item in PATHS.items()}
    schemas = result["components"]["schemas"] | SCHEMAS
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result
