"""What happens to every request before and after its view."""

from collections.abc import Callable
from time import perf_counter

import structlog
from django.http import HttpRequest, HttpResponse

from apps.common.correlation import HEADER, request_id_bound, sane_request_id
from apps.common.errors import FieldError
from apps.common.rest.body import body_limit
from apps.common.rest.handler import is_api
from apps.common.rest.problems import Problem, of_status, too_large

GetResponse = Callable[[HttpRequest], HttpResponse]
access = structlog.get_logger("holdfast.access")
# JSON that is opened in a browser must not become a page.
JSON_POLICY = "default-src 'none'; frame-ancestors 'none'"


class RequestId:
    """Takes or makes the ``X-Request-ID``, sends it back, and writes one access line.

    The line has the path without its query: queries and headers may carry secrets.
    """

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = sane_request_id(request.headers.get(HEADER))
        with request_id_bound(request_id):
            started = perf_counter()
            response = self.get_response(request)
            response[HEADER] = request_id
            write = access.error if response.status_code >= 500 else access.info
            write(
                "request",
                method=request.method,
                path=request.path,
                route=getattr(request.resolver_match, "route", None),
                status=response.status_code,
                milliseconds=round((perf_counter() - started) * 1000, 1),
            )
            return response


class ApiGuard:
    """Refuses below ``/api/`` and ``/_allauth/`` what no view should have to think about."""

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_api(request):
            return self.get_response(request)
        problem = self._problem(request)
        response = problem.response() if problem else self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        if "json" in response.headers.get("Content-Type", ""):
            response.headers.setdefault("Content-Security-Policy", JSON_POLICY)
        return response

    def _problem(self, request: HttpRequest) -> Problem | None:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isascii() or not length.isdigit():
            return of_status(400, "bad_request", "Content-Length is not a number.")
        limit = body_limit(request.path_info)
        if int(length[:20]) > limit:
            return too_large(limit)
        if "\x00" in request.path_info:
            return of_status(404, "not_found")
        if "%00" in request.META.get("QUERY_STRING", ""):
            return self._nul_in_query(request)
        return None

    def _nul_in_query(self, request: HttpRequest) -> Problem | None:
        errors = tuple(
            FieldError(name.replace("\x00", "\N{SYMBOL FOR NULL}"), "nul", "NUL is not allowed.")
            for name, values in request.GET.lists()
            if "\x00" in "".join([name, *values])
        )
        title = "The request has invalid values"
        return Problem(400, "invalid", title, errors=errors) if errors else None
