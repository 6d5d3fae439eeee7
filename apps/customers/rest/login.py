"""allauth's addresses for API clients, below ``/_allauth/``: logging in and out, and who I am.

The rest of allauth's flows are closed: their addresses answer 403 in allauth's own form.
"""

from allauth.headless.base.response import ForbiddenResponse
from allauth.headless.base.views import APIView
from allauth.headless.constants import Client
from allauth.headless.urls import build_urlpatterns
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path

OPEN = frozenset({"config", "login", "current_session"})


class Closed(APIView):
    """A flow that this shop does not offer."""

    def dispatch(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        return ForbiddenResponse(request)


def _close(patterns: list[URLPattern | URLResolver]) -> None:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            _close(pattern.url_patterns)
        elif pattern.name not in OPEN:
            pattern.callback = Closed.as_api_view(client=Client.APP)


app_patterns = build_urlpatterns(Client.APP)
_close(app_patterns)

app_name = "headless"
urlpatterns = [path("app/", include((app_patterns, "headless"), namespace="app"))]
