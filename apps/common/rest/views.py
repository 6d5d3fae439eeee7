"""Views that belong to the API as a whole."""

from django.urls import path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from apps.common.rest.permissions import Public


# The documents are for everybody, before they have a login: they tell how to get one. They hold no
# data of the shop and are made from code that is public itself.
@extend_schema(exclude=True)
class Schema(SpectacularAPIView):
    permission_classes = (Public,)


class SwaggerUI(SpectacularSwaggerView):
    permission_classes = (Public,)


class Redoc(SpectacularRedocView):
    permission_classes = (Public,)


documents = [
    path("schema", Schema.as_view(), name="schema"),
    path("docs", SwaggerUI.as_view(url_name="schema"), name="docs"),
    path("redoc", Redoc.as_view(url_name="schema"), name="redoc"),
]
