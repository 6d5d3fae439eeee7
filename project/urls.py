"""All addresses of the shop."""

from django.contrib import admin
from django.urls import include, path

api = []

urlpatterns = [
    path("admin/", admin.site.urls),
    path("_allauth/", include("allauth.headless.urls")),
    path("api/v1/", include(api)),
]
