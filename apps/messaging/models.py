"""Tables that stand in every database, so that they commit with the rows next to them.

Queries name their alias: ``Outbox.objects.using("orders")``.
"""

from django.db import models
from django.db.models.functions import Now

WAITING = models.Q(published_at=None, dead_at=None)


class Outbox(models.Model):
    """An event that left its transaction and waits for the relay.

    ``attempts`` counts how often the broker refused it; after too many it is ``dead``: a dead
    letter of the consumer ``relay`` says why, and later events of its aggregate go on.
    """

    event_id = models.UUIDField()
    topic = models.CharField(max_length=100)
    aggregate = models.CharField(max_length=100)
    aggregate_version = models.BigIntegerField()
    schema_version = models.PositiveSmallIntegerField(default=1)
    payload = models.JSONField()
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    published_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "outbox event"
        # What was published is in none of them: however much is kept, the relay does not see it.
        indexes = [
            models.Index(fields=["id"], condition=WAITING, name="outbox_waiting"),
            models.Index(
                fields=["aggregate", "id"],
                # Without dead_at: the other index cannot serve, however wrong statistics are.
                condition=models.Q(published_at=None, attempts__gt=0),
                name="outbox_refused",
            ),
            models.Index(
                fields=["event_id"], condition=models.Q(dead_at__isnull=False), name="outbox_dead"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.aggregate} v{self.aggregate_version}"


class RelayLease(models.Model):
    """Which relay empties this database's outbox, and until when: one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    token = models.UUIDField()
    holder = models.CharField(max_length=100, help_text="host:process")
    until = models.DateTimeField()

    class Meta:
        verbose_name = "relay lease"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="relay_lease_one")]

    def __str__(self) -> str:
        return self.holder


class Inbox(models.Model):
    """A message a consumer has applied, with the outcome it gave; written with the effect."""

    consumer = models.CharField(max_length=60)
    message_id = models.CharField(max_length=100)
    request_hash = models.CharField(max_length=32)
    outcome = models.JSONField(null=True)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "inbox entry"
        verbose_name_plural = "inbox entries"
        constraints = [
            models.UniqueConstraint(fields=["consumer", "message_id"], name="inbox_once")
        ]

    def __str__(self) -> str:
        return f"{self.consumer} {self.message_id}"


class DeliveryAttempt(models.Model):
    """An event that a consumer has tried and not applied: counted before each attempt, so that one
    which ends the process counts as well. ``attempts`` 0: it was in the hands of a consumer that
    did not come back."""

    consumer = models.CharField(max_length=60)
    event_id = models.UUIDField()
    attempts = models.PositiveSmallIntegerField(db_default=0)
    last_error = models.TextField(db_default="")
    next_attempt_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["consumer", "event_id"], name="delivery_attempt_once")
        ]

    def __str__(self) -> str:
        return f"{self.consumer} {self.event_id}"


class DeadLetter(models.Model):
    """A message that could not be applied and waits for a person, until it is redriven."""

    class Reason(models.TextChoices):
        UNPARSEABLE = "unparseable", "Unparseable"
        UNKNOWN_SCHEMA = "unknown_schema", "Unknown schema"
        INVALID_PAYLOAD = "invalid_payload", "Invalid payload"
        TOO_LARGE = "too_large", "Too large"
        FAILED = "failed", "Failed"
        REFUSED_BY_BROKER = "refused_by_broker", "Refused by the broker"

    consumer = models.CharField(max_length=60)
    event_id = models.UUIDField(help_text="Made of the message's bytes where it says none.")
    topic = models.CharField(max_length=100)
    body = models.BinaryField(help_text="The message as it came.")
    headers = models.JSONField(default=dict)
    reason = models.CharField(max_length=60, choices=Reason.choices)
    error = models.TextField()
    deaths = models.PositiveIntegerField(db_default=1, help_text="How often it ended here.")
    created_at = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(db_default=Now())
    redriven_at = models.DateTimeField(null=True, help_text="When it was applied after all.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["consumer", "event_id"], name="dead_letter_once")
        ]
        indexes = [
            models.Index(
                fields=["consumer", "reason"],
                condition=models.Q(redriven_at=None),
                name="dead_letter_waiting",
            )
        ]
        permissions = [("redrive_deadletter", "Can redrive dead letters")]

    def __str__(self) -> str:
        return f"{self.topic or self.get_reason_display()} {self.event_id}"


class IdempotencyRecord(models.Model):
    """The answer to a finished command, kept so that a repeat of it gets the same one."""

    principal = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=32)
    response = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["principal", "key"], name="idempotency_once")
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"


class StaffChange(models.Model):
    """What a member of staff changed: committed with the change itself. Append-only."""

    at = models.DateTimeField(db_default=Now())
    actor_id = models.CharField(max_length=40)
    actor_name = models.CharField(max_length=300)
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=60, help_text="The model's label: catalog.product")
    subject_id = models.CharField(max_length=64)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    request_id = models.CharField(max_length=64, db_default="")

    class Meta:
        verbose_name = "staff change"
        indexes = [
            models.Index(fields=["subject", "subject_id"], name="staff_change_subject"),
            models.Index(fields=["-at", "-id"], name="staff_change_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.subject} {self.subject_id}"
