"""The record of each audit, kept for staff."""

from django.db import models
from django.db.models.functions import Now


class AuditRun(models.Model):
    """An audit that was carried out.

    ``checks`` maps each check's name to ``{"checked": n, "violations": n, "ids": [...]}`` with at
    most the first hundred offending ids. ``error`` says why an audit could not be finished; such a
    run proves nothing and counts as neither clean nor violated.
    """

    class Trigger(models.TextChoices):
        COMMAND = "command"
        SCHEDULE = "schedule"
        REPLAY = "replay"

    trigger = models.CharField(max_length=20, choices=Trigger)
    started_at = models.DateTimeField(db_default=Now(), db_index=True)
    seconds = models.FloatField()
    violations = models.PositiveIntegerField(default=0)
    checks = models.JSONField(default=dict)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "audit"
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"audit of {self.started_at:%Y-%m-%d %H:%M}"
