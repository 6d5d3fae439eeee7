"""RFC 9457 problem documents: the one form in which an error leaves the house."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.settings import api_settings

from apps.common.correlation import current_request_id
from apps.common.errors import FieldError, HoldfastError
from apps.common.rest.renderers import dumps

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 100  # a document stays small, whatever was sent
MAX_NAME = 100
RETRY_AFTER_SECONDS = 1
# RFC 9110's names, which older Pythons do not know yet.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


@dataclass(frozen=True)
class Problem:
    """An error on its way out. ``extra`` are further members, ``headers`` go beside the body."""

    status: int
    code: str
    title: str
    detail: str = ""
    errors: tuple[FieldError, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The body: ``type, title, status, detail, code, request_id`` and ``errors`` if any."""
        document = dict(self.extra) | {
            "type": f"urn:holdfast:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
            "code": self.code,
            "request_id": current_request_id(),
        }
        if self.errors:
            document["errors"] = [
                {"field": error.field, "code": error.code, "detail": error.detail}
                for error in self.errors[:MAX_ERRORS]
            ]
        return document

    def response(self) -> HttpResponse:
        """The answer of code that runs outside of a REST view."""
        return HttpResponse(
            dumps(self.document()),
            status=self.status,
            content_type=MEDIA_TYPE,
            headers=self.headers,
        )


def of_status(status: int, code: str, detail: str = "", **members: Any) -> Problem:
    """A problem titled with the status's own phrase."""
    title = TITLES.get(status) or HTTPStatus(status).phrase
    return Problem(status, code, title, detail, **members)


def too_large(limit: int) -> Problem:
    """413: the body is larger than ``limit`` bytes."""
    return of_status(413, "body_too_large", f"The body may have at most {limit} bytes.")


def server_error() -> Problem:
    """500: says that something broke and under which request id, never what."""
    return of_status(
        500,
        "internal_error",
        "Something broke on our side. Quote the request id when you report it.",
    )


def unavailable() -> Problem:
    """503: a part that is needed does not answer; the same request may succeed later."""
    return Problem(
        503,
        "unavailable",
        "Temporarily unavailable",
        "A part of the shop does not answer. Try again.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def problem_of(exc: BaseException) -> Problem | None:
    """The problem that ``exc`` is to a caller; None if it is a defect of ours."""
    match exc:
        case HoldfastError():
            return _of_holdfast(exc)
        case exceptions.ValidationError():
            return Problem(
                400, "invalid", "The request has invalid values", errors=tuple(flatten(exc.detail))
            )
        case exceptions.APIException():
            return _of_framework(exc)
        case Http404():
            return of_status(404, "not_found")
        case PermissionDenied():
            return of_status(403, "permission_denied")
        case RequestDataTooBig():
            return of_status(413, "body_too_large")
        case SuspiciousOperation() | BadRequest():
            return of_status(400, "bad_request")
        case OperationalError() | InterfaceError():
            return unavailable()
    return None


def _of_holdfast(exc: HoldfastError) -> Problem:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if exc.retryable else {}
    return Problem(
        exc.status, exc.code, exc.title, exc.detail, exc.errors, dict(exc.extra), headers
    )


def _of_framework(exc: exceptions.APIException) -> Problem:
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header
    if getattr(exc, "wait", None):
        headers["Retry-After"] = str(max(1, math.ceil(exc.wait)))
    if not isinstance(exc.detail, str):
        errors = tuple(flatten(exc.detail))
        return of_status(exc.status_code, exc.default_code, errors=errors, headers=headers)
    code = exc.detail.code or exc.default_code
    return of_status(exc.status_code, code, str(exc.detail), headers=headers)


def flatten(detail: Any, path: str = "") -> Iterator[FieldError]:
    """A validation error's nested detail as one error per field, e.g. ``lines[0].quantity``."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from flatten(inner, _join(path, name))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            # A list holds messages about ``path`` itself, or one entry per item of a list.
            is_item = isinstance(inner, Mapping | list | tuple)
            yield from flatten(inner, f"{path}[{index}]" if is_item else path)
    else:
        yield FieldError(path, getattr(detail, "code", None) or "invalid", str(detail))


def _join(path: str, name: Any) -> str:
    if name == api_settings.NON_FIELD_ERRORS_KEY:
        return path
    if isinstance(name, int):
        return f"{path}[{name}]"
    name = str(name)[:MAX_NAME]
    return f"{path}.{name}" if path else name
