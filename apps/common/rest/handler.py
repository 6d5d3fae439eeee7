"""The exception handler of all REST views, and Django's handlers for everything else."""

import sys

import structlog
from django.http import HttpRequest, HttpResponse
from django.views import defaults
from django.views.csrf import csrf_failure as django_csrf_failure
from rest_framework.response import Response

from apps.common.rest.problems import (
    MEDIA_TYPE,
    Problem,
    of_status,
    problem_of,
    server_error,
)
from apps.common.rest.renderers import JsonRenderer

API_PREFIXES = ("/api/", "/_allauth/")

log = structlog.get_logger(__name__)


def is_api(request: HttpRequest) -> bool:
    """Whether callers of this address expect JSON, also when it does not exist."""
    return f"{request.path_info}/".startswith(API_PREFIXES)


def exception_handler(exc: Exception, context: dict) -> Response | None:
    """DRF's ``EXCEPTION_HANDLER``; a defect of ours goes on to ``server_error_page`` below."""
    problem = problem_of(exc)
    if problem is None:
        return None
    if problem.status >= 500:
        # Of a part that is away the reason tells all; anything else wants its traceback.
        trace = None if problem.status == 503 else exc
        reason = f"{type(exc).__name__}: {exc}"
        log.error("request_failed", code=problem.code, reason=reason, exc_info=trace)
    request = context.get("request")
    if request is not None:  # also where the view itself renders HTML, as the docs do
        request.accepted_renderer = JsonRenderer()
        request.accepted_media_type = JsonRenderer.media_type
    return Response(
        problem.document(),
        status=problem.status,
        headers=problem.headers,
        content_type=MEDIA_TYPE,
    )


def _answer(request: HttpRequest, problem: Problem, page, *args) -> HttpResponse:
    return problem.response() if is_api(request) else page(request, *args)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler400``."""
    problem = problem_of(exception) or of_status(400, "bad_request")
    return _answer(request, problem, defaults.bad_request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler403``."""
    problem = of_status(403, "permission_denied")
    return _answer(request, problem, defaults.permission_denied, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler404``."""
    return _answer(request, of_status(404, "not_found"), defaults.page_not_found, exception)


def server_error_page(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``; it has logged the traceback. A database that is away is a 503."""
    exc = sys.exc_info()[1]
    problem = (exc and problem_of(exc)) or server_error()
    return _answer(request, problem, defaults.server_error)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's ``CSRF_FAILURE_VIEW``."""
    return _answer(request, of_status(403, "csrf_failed", reason), django_csrf_failure, reason)
