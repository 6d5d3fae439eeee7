"""allauth's addresses for API clients, below ``/_allauth/``, in allauth's own form.

Open are signing up, confirming the e-mail address, logging in and out, passwords, the e-mail
address, second factors and the list of logins. Whatever else the library has, or gets with its next
version, answers 403.
"""

from collections.abc import Callable
from functools import wraps

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.base.response import ForbiddenResponse
from allauth.headless.base.views import APIView
from allauth.headless.constants import Client
from allauth.headless.urls import build_urlpatterns
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, include, path
from rest_framework.exceptions import ParseError, ValidationError

from apps.common.rest.parsers import parse

OPEN = frozenset(
    {
        *("config", "current_session", "login", "signup", "sessions", "reauthenticate"),
        *("verify_email", "resend_email_verification_code", "manage_email"),
        *("request_password_reset", "reset_password", "change_password"),
        *("authenticate", "authenticators", "manage_totp", "manage_recovery_codes"),
    }
)
RETRY_AFTER_SECONDS = 60


class Closed(APIView):
    """A flow that this shop does not offer."""

    def dispatch(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        return ForbiddenResponse(request)


def guarded(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """``view`` behind the strict parser, and with a hint when to come back.

    allauth's own parser fails on bodies that nest deeply or hold half a character.
    """

    methods = view.view_class(**view.view_initkwargs)._allowed_methods()

    @wraps(view)
    def run(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        # allauth would first see whether the flow is under way, and answer for that.
        if request.method not in {*methods, "HEAD" if "GET" in methods else ""}:
            allow = {"Allow": ", ".join(methods)}
            return JsonResponse({"status": 405}, status=405, headers=allow)
        if request.method != "GET" and request.body and not _is_object(request.body):
            return JsonResponse({"status": 400}, status=400)
        try:
            response = view(request, *args, **kwargs)
        except ImmediateHttpResponse as answer:
            response = answer.response
        if response.status_code in (429, 503):
            response.headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
        return response

    return run


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(parse(body), dict)
    except (ParseError, ValidationError):
        return False


def _open_and_close(patterns: list[URLPattern | URLResolver]) -> None:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            _open_and_close(pattern.url_patterns)
        elif pattern.name in OPEN:
            pattern.callback = guarded(pattern.callback)
        else:
            pattern.callback = Closed.as_api_view(client=Client.APP)


app_patterns = build_urlpatterns(Client.APP)
_open_and_close(app_patterns)

app_name = "headless"
urlpatterns = [path("app/", include((app_patterns, "headless"), namespace="app"))]
