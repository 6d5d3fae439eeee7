"""What the back office's pages share."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db.models import Model, QuerySet, UUIDField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.dataclasses import ActionDialog
from unfold.decorators import action

from apps.common.errors import HoldfastError
from apps.common.lists import ShortCount, is_uuid


class PageAdmin(ModelAdmin):
    """What every page has: short lists, and a search that takes any text.

    A search field on a UUID column (``public_id__exact``) counts only for terms that are UUIDs.
    """

    show_full_result_count = False
    paginator = ShortCount
    list_per_page = 50

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        names = list(super().get_search_fields(request))
        if is_uuid(request.GET.get(SEARCH_VAR) or request.GET.get("term") or ""):
            return names
        return [name for name in names if not _on_uuid(self.model, name)] or names

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str):
        try:
            return super().get_search_results(request, queryset, search_term)
        except (ValidationError, ValueError):  # no row has what is not a value of the column
            return queryset.none(), False


class ReadOnlyAdmin(PageAdmin):
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

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_delete_permission(request):  # before anything is read
            raise PermissionDenied
        return super().delete_view(request, *args, **kwargs)


class Desk:
    """For a page that shows more of its row than columns: ``desk`` says what."""

    def desk(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """The context that the page's own template wants of ``row``."""
        raise NotImplementedError

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is not None and self.has_view_permission(request, row):
            extra_context = (extra_context or {}) | self.desk(request, row)
        return super().change_view(request, object_id, form_url, extra_context)


class ServiceAdmin(PageAdmin):
    """Writes go through services: override ``save_model``, ``delete_model``.

    What a service refuses is told to the person; nothing is written then.
    """

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._told(super().changeform_view, request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._told(super().delete_view, request, *args, **kwargs)

    def _told(self, view: Callable, request: HttpRequest, *args: Any, **kwargs: Any):
        try:
            return view(request, *args, **kwargs)
        except HoldfastError as error:
            tell(self, request, error)
            return HttpResponseRedirect(request.get_full_path())


class LivingFilter(admin.SimpleListFilter):
    """Living rows by default; deleted ones on request."""

    title = "deletion"
    parameter_name = "deletion"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [("deleted", "Deleted"), ("all", "Living and deleted")]

    def choices(self, changelist):
        """The usual choices, with the first one named for what it shows."""
        for index, choice in enumerate(super().choices(changelist)):
            yield choice | {"display": "Living"} if index == 0 else choice

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(deleted__isnull=self.value() != "deleted")


class SoftDeleteAdmin(ServiceAdmin):
    """Rows that are soft-deleted and restored through services.

    Deleted rows can be looked at and restored, not edited. Put ``LivingFilter`` into
    ``list_filter`` and implement ``delete_row`` and ``restore_row``.
    """

    delete_confirmation_template = "admin/soft_delete_confirmation.html"
    actions = ("restore_selected",)
    actions_detail = ("restore",)

    def delete_row(self, request: HttpRequest, row: Any) -> None:
        raise NotImplementedError

    def restore_row(self, request: HttpRequest, row: Any) -> None:
        raise NotImplementedError

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = self.model.all_objects.all()
        ordering = self.get_ordering(request)
        if request.path == reverse(f"{self.admin_site.name}:autocomplete"):
            rows = rows.filter(deleted=None)  # nobody picks a deleted row
        return rows.order_by(*ordering) if ordering else rows

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        living = obj is None or obj.deleted is None
        return living and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        living = obj is None or obj.deleted is None
        return living and super().has_delete_permission(request, obj)

    def has_restore_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether the person may restore at all or, with a key, this (deleted) row."""
        if object_id is None:
            return self._restores(request)
        row = self.get_object(request, object_id)
        return row is not None and row.deleted is not None and self.may_restore(request, row)

    def may_restore(self, request: HttpRequest, row: Any) -> bool:
        return self._restores(request)

    def _restores(self, request: HttpRequest) -> bool:
        """By the model's own permission where it has one; elsewhere who may change may restore."""
        codename = f"restore_{self.opts.model_name}"
        if codename in dict(self.opts.permissions):
            return request.user.has_perm(f"{self.opts.app_label}.{codename}")
        return super().has_change_permission(request)

    def get_deleted_objects(self, objs, request: HttpRequest):
        """Only the rows themselves: nothing else disappears with a soft-deleted row."""
        rows = list(objs)
        lacking = {str(row) for row in rows if not self.has_delete_permission(request, row)}
        count = {self.opts.verbose_name_plural: len(rows)}
        return [str(row) for row in rows], count, lacking, []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_row(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for row in queryset:
            self.delete_row(request, row)

    @action(description="Restore selected", permissions=["restore"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        for row in queryset:
            if row.deleted is not None and self.may_restore(request, row):
                self._restore(request, row)
            else:
                self.message_user(request, f"{row} was not restored.", messages.WARNING)

    @action(
        description="Restore",
        icon="restore_from_trash",
        permissions=["restore"],
        dialog=ActionDialog(
            title="Restore?",
            description="It comes back as it was when it was deleted.",
            form_class=None,
            form_submit_text="Restore",
        ),
    )
    def restore(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        self._restore(request, self.get_object(request, object_id))
        return back(self, request, object_id)

    def _restore(self, request: HttpRequest, row: Any) -> None:
        try:
            self.restore_row(request, row)
        except HoldfastError as error:
            tell(self, request, error)
        else:
            self.log_change(request, row, "Restored.")
            self.message_user(request, f"{row} was restored.", messages.SUCCESS)


def tell(page: ModelAdmin, request: HttpRequest, error: HoldfastError) -> None:
    """Shows the person why something was refused."""
    for line in [f"{item.field}: {item.detail}" for item in error.errors] or [error.detail]:
        page.message_user(request, line, messages.ERROR)


def back(page: ModelAdmin, request: HttpRequest, object_id: Any) -> HttpResponse:
    """To the row's page, after an action from its dialog."""
    opts = page.model._meta
    name = f"{page.admin_site.name}:{opts.app_label}_{opts.model_name}_change"
    url = reverse(name, args=[object_id])
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def for_each(command: Callable[[Any, HttpRequest, Any], str]) -> Callable:
    """An action for the selected rows from one for a single row.

    ``command(self, request, row)`` returns what to say when it worked and raises ``HoldfastError``
    when not; each row succeeds or fails by itself.
    """

    @wraps(command)
    def run(self: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
        for row in queryset:
            try:
                self.message_user(request, command(self, request, row), messages.SUCCESS)
            except HoldfastError as error:
                self.message_user(request, f"{row}: {error.detail}", messages.ERROR)

    return run


def _on_uuid(model: type[Model], name: str) -> bool:
    """Whether the search field ``order__id__exact`` leads to a UUID column."""
    field = None
    for part in name.lstrip("=^@").split("__"):
        try:
            field = model._meta.get_field(part)
        except FieldDoesNotExist:  # the lookup
            break
        model = field.related_model or model
    return isinstance(field, UUIDField)
