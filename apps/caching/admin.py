"""The back office's page of what could not be invalidated yet."""

from django.contrib import admin
from unfold.decorators import display

from apps.caching.models import Invalidation
from apps.common.admin import ReadOnlyAdmin


@admin.register(Invalidation)
class InvalidationAdmin(ReadOnlyAdmin):
    list_display = ("first", "keys", "created_at")
    ordering = ("id",)

    @display(description="first key")
    def first(self, row: Invalidation) -> str:
        return row.names[0]

    @display(description="keys")
    def keys(self, row: Invalidation) -> int:
        return len(row.names)
