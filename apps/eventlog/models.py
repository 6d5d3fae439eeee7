"""The log of all events, partitioned by month, and how far each group was compared with it."""

from django.db import models
from django.db.models.functions import Now


class LoggedEvent(models.Model):
    """An event as it was published. Append-only; ``position`` grows in the order of commits."""

    position = models.BigIntegerField(primary_key=True)
    logged_at = models.DateTimeField(db_default=Now())
    event_id = models.UUIDField()
    topic = models.CharField(max_length=100)
    aggregate = models.CharField(max_length=100)
    aggregate_version = models.BigIntegerField()
    schema_version = models.PositiveSmallIntegerField()
    occurred_at = models.DateTimeField()
    payload = models.JSONField()
    headers = models.JSONField()
    order_id = models.TextField(null=True)
    customer_id = models.TextField(null=True)
    correlation_id = models.TextField(null=True)

    class Meta:
        db_table = "eventlog_event"
        verbose_name = "logged event"

    def __str__(self) -> str:
        return f"{self.topic} {self.aggregate} v{self.aggregate_version}"


class GroupProgress(models.Model):
    """How far the log was compared with what a group has applied.

    The group answers for what was logged after ``since``, when it was first seen; up to
    ``verified`` all of it is in the group's inbox or among its dead letters.
    """

    group = models.CharField(max_length=60, unique=True)
    since = models.BigIntegerField()
    verified = models.BigIntegerField()
    checked_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "group's progress"
        verbose_name_plural = "groups' progress"

    def __str__(self) -> str:
        return self.group


class Sweep(models.Model):
    """How far a table of another database was gone through: rows up to ``last`` are done with."""

    database = models.CharField(max_length=30)
    table = models.CharField(max_length=30)
    last = models.BigIntegerField(default=0)
    swept_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["database", "table"], name="sweep_once")]

    def __str__(self) -> str:
        return f"{self.table} of {self.database}"
