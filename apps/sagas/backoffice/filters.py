"""What the list of runs is narrowed by. None of them reads the whole table to offer its choices."""

from datetime import timedelta

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from apps.sagas import definition
from apps.sagas.enums import LIVE, RunStatus
from apps.sagas.models import SagaRun

Choices = list[tuple[str, str]]
MOST_CODES = 30


def words(name: str) -> str:
    """``authorize_payment`` → ``Authorize payment``."""
    return name.replace("_", " ").capitalize()


class _One(admin.SimpleListFilter):
    """Rows whose column ``parameter_name`` has the value."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class KindFilter(_One):
    """One of the sagas that the shop knows."""

    title = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Choices:
        kinds = sorted({saga.kind for saga in definition.registered()})
        return [(kind, words(kind)) for kind in kinds]


class StepFilter(_One):
    """One of the steps that the shop knows."""

    title = parameter_name = "step"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Choices:
        steps = {step.name for saga in definition.registered() for step in saga.steps}
        return [(step, words(step)) for step in sorted(steps)]


class CodeFilter(_One):
    """The errors of the runs that are parked now, the most frequent first."""

    title, parameter_name = "error of parked runs", "error_code"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Choices:
        codes = SagaRun.objects.filter(status=RunStatus.FAILED).values_list("error_code")
        counted = codes.annotate(number=Count("id")).order_by("-number", "error_code")
        found = [(code, f"{code} ({number})") for code, number in counted[:MOST_CODES] if code]
        chosen = self.value() or request.GET.get(self.parameter_name, "")
        if chosen and chosen not in dict(found):
            found.append((chosen, chosen))
        return found

    def has_output(self) -> bool:
        return True


class AgeFilter(admin.SimpleListFilter):
    """Runs that have not ended, by how long ago they began."""

    title, parameter_name = "open for longer than", "age"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Choices:
        return [("60", "A minute"), ("900", "15 minutes"), ("3600", "An hour"), ("86400", "A day")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        since = Now() - timedelta(seconds=int(self.value()))
        is_open = Q(status__in=LIVE) | Q(status=RunStatus.FAILED)
        return queryset.filter(is_open, created_at__lt=since)
