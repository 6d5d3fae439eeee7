"""Jobs as staff see them, what their runs did, and alerts where a run is missing.

When a job runs is kept where beat reads it: ``django_celery_beat.PeriodicTask``.
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.scheduling.enums import Outcome, Trigger


class ScheduledJob(models.Model):
    """A job this shop has known since ``since``."""

    name = models.SlugField(primary_key=True, max_length=60)
    since = models.DateTimeField(db_default=Now())
    last_success_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "scheduled job"
        ordering = ["name"]
        permissions = [("run_job", "Can run scheduled jobs now")]

    def __str__(self) -> str:
        return self.name


class JobRun(models.Model):
    """One attempt. ``counts`` says in numbers what it did, ``error`` why it failed."""

    job = models.ForeignKey(ScheduledJob, models.CASCADE, related_name="runs")
    trigger = models.CharField(max_length=10, choices=Trigger)
    asked_by = models.CharField(max_length=300, db_default="")
    outcome = models.CharField(max_length=10, choices=Outcome, db_default=Outcome.RUNNING)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    error = models.TextField(db_default="")

    class Meta:
        verbose_name = "job run"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["job", "-id"], name="job_runs_newest"),
            models.Index(fields=["started_at"], name="job_runs_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id} {self.started_at:%Y-%m-%d %H:%M:%S}"


class JobAlert(models.Model):
    """A job that did not succeed for two of its periods: open until it succeeds again."""

    job = models.ForeignKey(ScheduledJob, models.CASCADE, related_name="alerts")
    due_at = models.DateTimeField(help_text="When a success was due at the latest.")
    raised_at = models.DateTimeField(db_default=Now())
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "job alert"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["job"], condition=Q(cleared_at=None), name="job_alert_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.job_id} was due at {self.due_at:%Y-%m-%d %H:%M}"
