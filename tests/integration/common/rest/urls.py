"""Addresses and views for tests of the HTTP conventions."""

import django_filters
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import InvalidTransition
from apps.common.rest import fields, headers, permissions
from apps.common.rest.serializers import StrictSerializer, validated

handler400 = "apps.common.rest.handler.bad_request"
handler403 = "apps.common.rest.handler.permission_denied"
handler404 = "apps.common.rest.handler.page_not_found"
handler500 = "apps.common.rest.handler.server_error_page"


class LineForm(StrictSerializer):
    quantity = fields.IntegerField(min_value=1)


class Form(StrictSerializer):
    name = fields.StringField(max_length=20)
    lines = LineForm(many=True, allow_empty=False)


class Echo(APIView):
    permission_classes = (permissions.Public,)

    def post(self, request):
        return Response(validated(Form, request))


class Closed(APIView):
    def get(self, request):
        return Response({"user": request.user.get_username()})

    post = get


class Staff(Closed):
    permission_classes = (permissions.staff_with("catalog.adjust_stock"),)


class Command(APIView):
    permission_classes = (permissions.Public,)

    def post(self, request):
        return Response({"key": headers.idempotency_key(request)})


FAILURES = {
    "transition": InvalidTransition(allowed=["shipped"]),
    "database": OperationalError("FATAL: secret detail"),
    "defect": ZeroDivisionError("secret detail"),
    "suspicious": SuspiciousOperation("secret detail"),
    "forbidden": PermissionDenied("secret detail"),
}


class Failing(APIView):
    permission_classes = (permissions.Public,)

    def get(self, request, name):
        raise FAILURES[name]


def failing(request, name):
    raise FAILURES[name]


class PermissionRow(serializers.ModelSerializer):
    class Meta:
        model = Permission
        fields = ("id", "codename", "content_type_id")


class PermissionFilter(django_filters.FilterSet):
    codename = django_filters.CharFilter()
    after = django_filters.NumberFilter("id", "gt")


class Permissions(ListAPIView):
    """Django's permissions: a table at hand in which many rows share a content type."""

    permission_classes = (permissions.Public,)
    queryset = Permission.objects.all()
    serializer_class = PermissionRow
    filterset_class = PermissionFilter
    ordering = ("-content_type_id", "codename")
    ordering_fields = {"type": "content_type_id", "codename": "codename"}


urlpatterns = [
    path("api/echo", Echo.as_view()),
    path("api/closed", Closed.as_view()),
    path("api/staff", Staff.as_view()),
    path("api/command", Command.as_view()),
    path("api/failing/<name>", Failing.as_view()),
    path("api/plain/<name>", failing),
    path("page/<name>", failing),
    path("api/permissions", Permissions.as_view()),
    path("api/text", lambda request: HttpResponse("text", content_type="text/plain")),
]
