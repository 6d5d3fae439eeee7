"""The audit log in the back office: one list over all databases, and the history of each thing."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import orjson
from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import router
from django.db.models import Field, Model
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display

from apps.messaging.changes import Page, Place, Wanted, differences, staff_changes
from apps.messaging.every_database import EveryDatabaseAdmin, name
from apps.messaging.models import StaffChange

PER_PAGE = 50


class History:
    """Mix into a model's page: "History" shows what staff changed of the thing, with before and
    after. The subject is the model's label, the id the public one where there is one."""

    keeps_history = True

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        wanted = Wanted(subject=self.opts.label_lower, subject_id=subject_id(row))
        page = staff_changes(
            wanted,
            databases=[router.db_for_read(self.model)],
            limit=PER_PAGE,
            behind=Place.parse(request.GET.get("behind", "")),
        )
        context = self.admin_site.each_context(request) | _shown(request, page)
        context |= {"title": f"History of {row}", "opts": self.opts, "original": row}
        return TemplateResponse(request, "admin/messaging/history.html", context)


def subject_id(row: Model) -> str:
    """How the log names the row."""
    return str(getattr(row, "public_id", None) or row.pk)


class ChangesForm(forms.Form):
    """The filters above the list."""

    person = forms.CharField(required=False, max_length=100)
    subject = forms.ChoiceField(required=False, label="What")
    subject_id = forms.CharField(required=False, max_length=64, label="Its id")
    since = forms.DateField(required=False, label="From")
    until = forms.DateField(required=False, label="To")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["subject"].choices = [("", "Everything"), *subjects()]

    def wanted(self) -> Wanted:
        """What the filters say; those that make no sense are left out."""
        self.is_valid()
        given = self.cleaned_data
        since, until = given.get("since"), given.get("until")
        return Wanted(
            person=given.get("person") or "",
            subject=given.get("subject") or "",
            subject_id=(given.get("subject_id") or "").strip(),
            since=datetime.combine(since, time(), UTC) if since else None,
            until=datetime.combine(until, time(), UTC) + timedelta(days=1) if until else None,
        )


def subjects() -> list[tuple[str, str]]:
    """What is noted: label and name of each model whose page keeps a history."""
    models = [
        model for model, page in admin.site._registry.items() if getattr(page, "keeps_history", 0)
    ]
    named = [(one._meta.label_lower, one._meta.verbose_name.capitalize()) for one in models]
    return sorted(named, key=lambda one: one[1])


@admin.register(StaffChange)
class StaffChangeAdmin(EveryDatabaseAdmin):
    """All databases at once, newest first; ``?database=`` leads to one row's page."""

    search_fields = ("actor_name", "subject_id__exact", "request_id__exact")
    list_filter = ("subject", "at")
    ordering = ("-at", "-id")
    fields = readonly_fields = ("at", "actor_name", "done", "what", "difference", "request_id")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = ChangesForm(request.GET)
        page = staff_changes(
            form.wanted(),
            databases=list(settings.DATABASES),
            limit=PER_PAGE,
            behind=Place.parse(request.GET.get("behind", "")),
        )
        context = self.admin_site.each_context(request) | _shown(request, page)
        context |= {"title": "Staff changes", "opts": self.opts, "form": form}
        return TemplateResponse(
            request, "admin/messaging/staff_changes.html", context | (extra_context or {})
        )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None):
        change = super().get_object(request, object_id, from_field)
        if change is not None:
            [change.row] = rows_of(request, [change])
        return change

    @display(description="what was done")
    def done(self, change: StaffChange) -> str:
        return words(change.action)

    @display(description="to")
    def what(self, change: StaffChange) -> str:
        return render_to_string("admin/messaging/subject.html", {"row": change.row})

    @display(description="before and after")
    def difference(self, change: StaffChange) -> str:
        return render_to_string("admin/messaging/difference.html", {"row": change.row})


def words(action: str) -> str:
    """``Adjust stock`` for ``adjust_stock``."""
    return action.replace("_", " ").capitalize()


def _shown(request: HttpRequest, page: Page) -> dict[str, Any]:
    older = request.GET.copy()
    older["behind"] = str(page.older)
    return {
        "rows": rows_of(request, page.rows),
        "older": older.urlencode() if page.older else "",
        "begun": "behind" in request.GET,
        "silent": [name(alias) for alias in page.silent],
    }


def rows_of(request: HttpRequest, changes: Sequence[StaffChange]) -> list[dict[str, Any]]:
    """What the templates show of the changes; one query for each kind of thing they name."""
    links = {subject: _links(request, subject, changes) for subject in {c.subject for c in changes}}
    return [
        {
            "change": change,
            "action": words(change.action),
            "subject": _name(change.subject),
            "link": links[change.subject].get(change.subject_id, ""),
            "page": f"{_page(StaffChange, change.pk)}?database={change._state.db}",
            "database": name(change._state.db),
            "differences": [
                (words(one.field), readable(one.before), readable(one.after), one.differs)
                for one in differences(change)
            ],
        }
        for change in changes
    ]


def readable(value: Any) -> str:
    """A value for people: lists in one line, other structures as JSON."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value) or "–"
    if isinstance(value, dict | list):
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return str(value)


def _name(subject: str) -> str:
    try:
        return apps.get_model(subject)._meta.verbose_name.capitalize()
    except (LookupError, ValueError):
        return subject


def _links(request: HttpRequest, subject: str, changes: Sequence[StaffChange]) -> dict[str, str]:
    """Id as noted → page of the thing, where it is still there and the person may see it."""
    try:
        model = apps.get_model(subject)
        page = admin.site.get_model_admin(model)
    except (LookupError, ValueError, NotRegistered):
        return {}
    if isinstance(page, EveryDatabaseAdmin):  # its rows need a database besides
        return {}
    if not page.has_view_or_change_permission(request):
        return {}
    key = "public_id" if _has_public_id(model) else "pk"
    field = model._meta.pk if key == "pk" else model._meta.get_field(key)
    wanted = [one for change in changes if (one := _valid(field, change)) is not None]
    found = getattr(model, "all_objects", model._base_manager).filter(**{f"{key}__in": wanted})
    return {str(value): _page(model, pk) for value, pk in found.values_list(key, "pk")}


def _valid(field: Field, change: StaffChange) -> Any:
    """The id as the column has it; None where it is none."""
    if field.model._meta.label_lower != change.subject:
        return None
    try:
        return field.to_python(change.subject_id)
    except ValidationError:
        return None


def _page(model: type[Model], pk: Any) -> str:
    return reverse(
        f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[quote(pk)]
    )


def _has_public_id(model: type[Model]) -> bool:
    return any(field.name == "public_id" for field in model._meta.concrete_fields)
