"""The buttons *Import* and *Export* of a list in the back office."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from import_export.admin import ImportExportMixin
from import_export.results import RowResult
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from apps.common.transfer.formats import SafeCSV, SafeXLSX, Uploads
from apps.common.transfer.resources import ServiceResource

FORMATS = [SafeCSV, SafeXLSX]
MAX_EXPORTED = 50_000


class TransferAdmin(ImportExportMixin):
    """Put it before the page's own base and list ``resource_classes``.

    A resource is offered for import to who has its ``permission``; who may see the list may
    export it, as filtered.
    """

    resource_classes: list[type[ServiceResource]] = []
    import_form_class = ImportForm
    export_form_class = ExportForm
    import_template_name = "admin/transfer/import.html"
    tmp_storage_class = Uploads
    skip_admin_log = True  # services write the staff log

    def get_import_formats(self) -> list:
        return FORMATS

    get_export_formats = get_import_formats

    def get_import_resource_classes(self, request: HttpRequest) -> list[type[ServiceResource]]:
        return [
            one
            for one in self.resource_classes
            if one.permission and request.user.has_perm(one.permission)
        ]

    def get_export_resource_classes(self, request: HttpRequest) -> list[type[ServiceResource]]:
        return [one for one in self.resource_classes if one._meta.fields]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(self.get_import_resource_classes(request))

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_or_change_permission(request)

    def get_export_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_export_queryset(request)
        if request.method == "POST" and rows[MAX_EXPORTED : MAX_EXPORTED + 1].exists():
            raise TooMany
        return rows

    def export_action(self, request: HttpRequest) -> HttpResponse:
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            return super().export_action(request)
        except TooMany:
            text = f"At most {MAX_EXPORTED:,} rows are exported at once: filter the list first."
            messages.error(request, text)
            return HttpResponseRedirect(request.get_full_path())

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The import after its dry run; what was kept of the upload may be gone by now."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method == "POST" and not self._still_there(request):
            messages.error(request, "The file is not there any more: upload it again.")
            return HttpResponseRedirect(self._import_page())
        return super().process_import(request, **kwargs)

    def _still_there(self, request: HttpRequest) -> bool:
        """Whether the form is one that a dry run made, and its upload is kept."""
        form = self.create_confirm_form(request)
        if not form.is_valid():
            return False
        given = form.cleaned_data
        formats = map(str, range(len(FORMATS)))
        resources = map(str, range(len(self.get_import_resource_classes(request))))
        known = given["format"] in formats and (given["resource"] or "0") in resources
        return known and Uploads(name=given["import_file_name"]).exists()

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        if result.has_errors() or result.has_validation_errors():
            text = "Nothing was imported: things changed since the dry run. Try it again."
            messages.error(request, text)
            return HttpResponseRedirect(self._import_page())
        return super().process_result(result, request)

    def add_success_message(self, result: Any, request: HttpRequest) -> None:
        taken = result.totals[RowResult.IMPORT_TYPE_NEW]
        left = result.totals[RowResult.IMPORT_TYPE_SKIP]
        messages.success(request, f"{taken} rows imported, {left} changed nothing.")

    def _import_page(self) -> str:
        return reverse("admin:{}_{}_import".format(*self.get_model_info()))


class TooMany(Exception):
    """More rows than are exported at once."""
