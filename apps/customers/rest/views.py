"""What the API tells a customer about themselves."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.permissions import LoggedIn
from apps.customers import selectors
from apps.customers.rest.serializers import MeSerializer


class Me(APIView):
    permission_classes = (LoggedIn,)

    @extend_schema(
        operation_id="me",
        tags=["me"],
        summary="Who I am, and my addresses",
        responses=MeSerializer,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request)
        user = request.user
        me = {
            "public_id": user.public_id,
            "email": user.email,
            "name": user.name,
            "is_staff": user.is_staff,
            "date_joined": user.date_joined,
            "addresses": selectors.addresses_of(user_id=user.pk),
        }
        return Response(MeSerializer(me).data)
