"""Below ``/api/v1/``."""

from django.urls import path

from apps.notifications.rest.views import NotificationPreferences

urlpatterns = [
    path(
        "me/notification-preferences",
        NotificationPreferences.as_view(),
        name="my-notification-preferences",
    ),
]
