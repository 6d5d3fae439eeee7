"""Pages whose rows are written by the ORM: each edit leaves a note in the audit log."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db import router, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.messaging.staff_admin import History, subject_id
from apps.messaging.staff_log import staff_change


class NotedAdmin(History):
    """Mix in before the admin class. One note for each row made, changed or deleted."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        values = {field: plain(form.cleaned_data.get(field)) for field in form.changed_data}
        values = {field: value for field, value in values.items() if field in self._columns()}
        if not change:
            self.note(form.instance, "create", after=values)
        elif values:
            self.note(form.instance, "change", before=_before(form, values), after=values)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        with transaction.atomic(using=router.db_for_write(self.model)):
            self.note(obj, "delete", before={"name": str(obj)})
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        with transaction.atomic(using=router.db_for_write(self.model)):
            for row in queryset:
                self.note(row, "delete", before={"name": str(row)})
            super().delete_queryset(request, queryset)

    def note(self, row: Model, action: str, **values: Any) -> None:
        """Notes what the member of staff at work does to the row, in its transaction."""
        staff_change(
            router.db_for_write(self.model),
            subject=self.opts.label_lower,
            subject_id=subject_id(row),
            action=action,
            **values,
        )

    def _columns(self) -> set[str]:
        return {field.name for field in (*self.opts.fields, *self.opts.many_to_many)}


def plain(value: Any) -> Any:
    """A form's value as the log keeps it: rows by what people call them."""
    if isinstance(value, list | tuple | set | QuerySet):
        return sorted(str(one) for one in value)
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _before(form: forms.ModelForm, names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(_initial(form, name)) for name in names}


def _initial(form: forms.ModelForm, name: str) -> Any:
    """What the form showed; a key of another row becomes that row."""
    value, field = form.initial.get(name), form.fields.get(name)
    if isinstance(field, forms.ModelMultipleChoiceField):
        return value or []
    if isinstance(field, forms.ModelChoiceField):
        return field.queryset.filter(pk=value).first() if value is not None else None
    return value
