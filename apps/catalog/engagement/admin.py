"""The notes of sales that wait to be counted: to be seen, not to be touched."""

from django.contrib import admin

from apps.catalog.engagement.models import SaleNote
from apps.common.admin import ReadOnlyAdmin


@admin.register(SaleNote)
class SaleNoteAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "key", "sign", "basket")
    list_filter = ("sign", "basket")
    search_fields = ("key",)
    ordering = ("-id",)
