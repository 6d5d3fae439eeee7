"""All addresses of the shop."""

from django.contrib import admin
from django.urls import include, path

from apps.common.rest.views import documents

handler400 = "apps.common.rest.handler.bad_request"
handler403 = "apps.common.rest.handler.permission_denied"
handler404 = "apps.common.rest.handler.page_not_found"
handler500 = "apps.common.rest.handler.server_error_page"

# Below /api/v1/, without a slash at the end.
api = [
    path("", include("apps.customers.rest.urls")),
    path("", include("apps.orders.rest.urls")),
    path("", include("apps.catalog.rest.urls")),
    path("", include("apps.reporting.rest.urls")),
    path("", include("apps.notifications.rest.urls")),
]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("_allauth/", include("apps.customers.rest.login")),
    path("api/", include(documents)),
    path("api/v1/", include(api)),
]
