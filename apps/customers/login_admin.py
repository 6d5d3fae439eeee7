"""Roles and logins in the back office: groups, e-mail addresses, second factors, sessions."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import action

from apps.common.admin import ReadOnlyAdmin
from apps.customers import services
from apps.customers.permissions import may_manage
from apps.messaging.noting import NotedAdmin

for model in (Group, EmailAddress, Authenticator, UserSession):
    admin.site.unregister(model)


@admin.register(Group)
class GroupAdmin(NotedAdmin, DjangoGroupAdmin, ModelAdmin):
    """Roles. Whoever edits one could give themselves anything, so superusers only."""

    list_filter = (("permissions__content_type", admin.RelatedOnlyFieldListFilter),)
    compressed_fields = False  # the two lists of permissions need the whole width

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    has_delete_permission = has_change_permission


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    """What the login keeps of addresses: claimed and freed with the account."""

    list_display = ("email", "user", "primary", "verified")
    list_filter = ("primary", "verified")
    list_select_related = ("user",)
    search_fields = ("email", "user__email")
    ordering = ("-id",)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Who has a second factor. Its secret is shown to nobody."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type", "user__is_staff", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    ordering = ("-id",)
    fields = ("user", "type", "created_at", "last_used_at")


@admin.register(UserSession)
class UserSessionAdmin(ReadOnlyAdmin):
    """Who is logged in, from where."""

    list_display = ("user", "ip", "user_agent", "created_at", "last_seen_at")
    list_filter = ("user__is_staff", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "user_agent")
    ordering = ("-id",)
    fields = ("user", "ip", "user_agent", "created_at", "last_seen_at")
    actions = ("end",)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("usersessions.delete_usersession")

    @action(description="End selected logins", permissions=["end"])
    def end(self, request: HttpRequest, queryset: Any) -> None:
        chosen = [
            row.pk
            for row in queryset.select_related("user")
            if row.user_id == request.user.pk or may_manage(request.user, row.user)
        ]
        ended = services.sessions_end(session_ids=chosen)
        self.message_user(request, f"Logins ended: {ended}.", messages.SUCCESS)
