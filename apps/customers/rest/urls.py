"""Below ``/api/v1/``."""

from django.urls import path

from apps.customers.rest.views import Addresses, Me, OneAddress

urlpatterns = [
    path("me", Me.as_view(), name="me"),
    path("me/addresses", Addresses.as_view(), name="my-addresses"),
    path("me/addresses/<uuid:address_id>", OneAddress.as_view(), name="my-address"),
]
