"""The API alone."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def payment(request: HttpRequest, pk: int) -> HttpResponse:
    """Where an order would be paid: oscar names it in its answer, nobody here goes there."""
    return HttpResponse(status=501)


urlpatterns = [
    path("api/", include("oscarapi.urls")),
    path("api/payment/<int:pk>/", payment, name="api-payment"),
]
