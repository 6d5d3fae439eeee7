"""Below ``/api/v1/``."""

from django.urls import path

from apps.customers.rest.views import Me

urlpatterns = [path("me", Me.as_view(), name="me")]
