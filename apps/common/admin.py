"""What the back office's pages share."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from apps.common.errors import HoldfastError


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only the engine or a service writes: seen by who may view them, changed by none."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return super().changeform_view(request, *args, **kwargs)


class LivingFilter(admin.SimpleListFilter):
    """Living rows by default; deleted ones on request."""

    title = "deletion"
    parameter_name = "deletion"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [("deleted", "Deleted"), ("all", "Living and deleted")]

    def choices(self, changelist):
        """The usual choices, with the first one named for what it shows."""
        for choice in super().choices(changelist):
            if choice["query_string"] == changelist.get_query_string(remove=[self.parameter_name]):
                choice["display"] = "Living"
            yield choice

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(deleted__isnull=self.value() != "deleted")


def attempt(
    admin_page: ModelAdmin, request: HttpRequest, done: str, command: Callable[[], Any]
) -> bool:
    """Runs ``command`` and tells the person: ``done``, or why not. Returns whether it was done."""
    try:
        command()
    except HoldfastError as error:
        for line in [item.detail for item in error.errors] or [error.detail]:
            admin_page.message_user(request, line, messages.ERROR)
        return False
    admin_page.message_user(request, done, messages.SUCCESS)
    return True


def for_each(command: Callable[[ModelAdmin, HttpRequest, Any], str]) -> Callable:
    """An action for the selected rows from one for a single row.

    ``command(self, request, row)`` returns what to say when it worked and raises ``HoldfastError``
    when not; each row succeeds or fails by itself.
    """

    @wraps(command)
    def action(self: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
        for row in queryset:
            try:
                self.message_user(request, command(self, request, row), messages.SUCCESS)
            except HoldfastError as error:
                self.message_user(request, f"{row}: {error.detail}", messages.ERROR)

    return action
