"""Views that belong to the API as a whole."""

from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import path, reverse
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from apps.common.rest.permissions import Public

REDOC_BUNDLE = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"


# The documents are for everybody, before they have a login: they tell how to get one. They hold no
# data of the shop and are made from code that is public itself.
@extend_schema(exclude=True)
class Schema(SpectacularAPIView):
    permission_classes = (Public,)


class SwaggerUI(SpectacularSwaggerSplitView):
    permission_classes = (Public,)


class Redoc(SpectacularRedocView):
    permission_classes = (Public,)

    @staticmethod
    def _redoc_standalone() -> str:
        return reverse("redoc-script")


@require_safe
def redoc_script(request: HttpRequest) -> HttpResponse:
    """Redoc's bundle with the shop's mark for a logo that it would fetch from its maker's host."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return HttpResponse(_redoc_script(), content_type="text/javascript", headers=headers)


@cache
def _redoc_script() -> str:
    bundle = Path(finders.find(REDOC_BUNDLE)).read_text(encoding="utf-8")
    return bundle.replace(REDOC_LOGO, static("holdfast/icon.svg"))


documents = [
    path("schema", Schema.as_view(), name="schema"),
    path("docs", SwaggerUI.as_view(url_name="schema"), name="docs"),
    path("redoc", Redoc.as_view(url_name="schema"), name="redoc"),
    path("redoc.js", redoc_script, name="redoc-script"),
]
