"""What is said about, and demanded of, every request that a browser may make."""

from http import HTTPStatus

from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.common.rest.handler import is_api
from project import security


class Pages(CSPMiddleware):
    """The Content-Security-Policy of the page's part of the shop, Permissions-Policy, and an end
    to bodies beyond ``PAGE_MAX_BODY_BYTES`` before anything reads them.

    A policy that is set already (JSON's, by ``ApiGuard``) stays.
    """

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        super().process_request(request)
        if is_api(request):
            return None  # ApiGuard's
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isascii() or not length.isdigit():
            return _refused(HTTPStatus.BAD_REQUEST, "Content-Length is not a number.")
        # A chunked body was read up to the API's limit only: what is longer is not whole.
        chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        limit = settings.API_MAX_BODY_BYTES if chunked else settings.PAGE_MAX_BODY_BYTES
        if int(length[:20]) > limit:
            text = f"The upload may have at most {limit} bytes."
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
        return None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response.headers.setdefault("Permissions-Policy", security.PERMISSIONS_POLICY)
        if HEADER in response.headers:
            return response
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponse, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.config is None:
            path = request.path_info
            parts.config = next(p for start, p in security.POLICIES if path.startswith(start))
        return parts


def _refused(status: HTTPStatus, text: str) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain")
