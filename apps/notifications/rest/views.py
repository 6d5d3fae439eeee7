"""Which mails customers want."""

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import if_match_version, tagged
from apps.common.rest.permissions import LoggedIn
from apps.common.rest.schema import IF_MATCH, IF_NONE_MATCH
from apps.common.rest.serializers import validated
from apps.notifications import selectors, services
from apps.notifications.models import Preference
from apps.notifications.rest.serializers import PreferencesChange, PreferencesSerializer

TAGS = ["me"]


class NotificationPreferences(APIView):
    permission_classes = (LoggedIn,)

    @extend_schema(
        operation_id="me_notification_preferences",
        tags=TAGS,
        summary="Which mails I get",
        description="Mails about my account, like the one that welcomes me, always come.",
        parameters=[IF_NONE_MATCH],
        responses={
            200: PreferencesSerializer,
            304: OpenApiResponse(description="Not modified."),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request)
        return _answer(request, selectors.preference_of(customer_id=request.user.public_id))

    @extend_schema(
        operation_id="me_notification_preferences_update",
        tags=TAGS,
        summary="Change which mails I get",
        parameters=[IF_MATCH],
        request=PreferencesChange,
        responses=PreferencesSerializer,
    )
    def patch(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request)
        version = if_match_version(request)
        wanted = validated(PreferencesChange, request)
        row = services.preference_change(
            customer_id=request.user.public_id, wanted=wanted, version=version
        )
        return _answer(request, row)


def _answer(request: Request, row: Preference) -> HttpResponse:
    return tagged(request, PreferencesSerializer(row).data, etag=f'"{row.version}"')
