"""Pages of the tables that stand in every database."""

from django.contrib import admin
from django.utils import timezone
from unfold.decorators import display

from apps.messaging.every_database import DatabaseFilter, EveryDatabaseAdmin
from apps.messaging.letters_admin import DeadLetterAdmin
from apps.messaging.models import IdempotencyRecord, Inbox, Outbox, RelayLease
from apps.messaging.staff_admin import StaffChangeAdmin

__all__ = ["DeadLetterAdmin", "StaffChangeAdmin"]

STATES = {
    "Published": "success",
    "Waiting": "info",
    "Refused": "warning",
    "Dead letter": "danger",
}


@admin.register(Outbox)
class OutboxAdmin(EveryDatabaseAdmin):
    list_display = ("topic", "aggregate", "aggregate_version", "created_at", "attempts", "state")
    list_filter = (DatabaseFilter, ("published_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("topic__contains", "aggregate__contains", "event_id__exact")
    ordering = ("-id",)

    @display(description="state", label=STATES)
    def state(self, row: Outbox) -> str:
        if row.published_at:
            return "Published"
        if row.dead_at:
            return "Dead letter"
        return "Refused" if row.attempts else "Waiting"


@admin.register(RelayLease)
class RelayLeaseAdmin(EveryDatabaseAdmin):
    list_display = ("holder", "until", "state")
    list_filter = (DatabaseFilter,)
    ordering = ("id",)

    @display(description="state", label={"Held": "success", "Free": "warning"})
    def state(self, row: RelayLease) -> str:
        return "Held" if row.until > timezone.now() else "Free"


@admin.register(Inbox)
class InboxAdmin(EveryDatabaseAdmin):
    list_display = ("consumer", "message_id", "received_at")
    list_filter = (DatabaseFilter, "received_at")
    search_fields = ("consumer", "message_id")
    ordering = ("-id",)


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(EveryDatabaseAdmin):
    list_display = ("principal", "key", "created_at")
    list_filter = (DatabaseFilter, "created_at")
    search_fields = ("principal", "key")
    ordering = ("-id",)
