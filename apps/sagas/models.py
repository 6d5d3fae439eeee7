"""The durable state of sagas. Only ``apps.sagas.engine`` writes it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from apps.sagas.enums import LIVE, Direction, RunStatus, StepStatus, Style


class SagaRun(models.Model):
    """One run of a saga: where it stands, who holds it, when it is due.

    ``next_run_at`` alone says when a live run may be claimed: a claim moves it to the end of the
    lease, so a run whose holder died becomes due by itself. A choreographed run is never claimed:
    for it this is when somebody looks whether it is late.
    """

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=40)
    kind_version = models.PositiveSmallIntegerField()
    business_key = models.CharField(max_length=64)
    style = models.CharField(
        max_length=13, choices=Style, default=Style.ORCHESTRATED, db_default=Style.ORCHESTRATED
    )
    status = models.CharField(max_length=12, choices=RunStatus, default=RunStatus.PENDING)
    position = models.SmallIntegerField()
    step = models.CharField(max_length=40)
    direction = models.CharField(max_length=1, choices=Direction, default=Direction.FORWARD)
    attempt = models.PositiveSmallIntegerField(
        db_default=1, help_text="The number of the next attempt at the present step."
    )
    step_since = models.DateTimeField(db_default=Now())
    claims = models.PositiveSmallIntegerField(
        db_default=0, help_text="How often the run was claimed since it last made progress."
    )
    weight = models.PositiveIntegerField(db_default=1, help_text="Its share of a batch: lines.")
    data = models.JSONField(default=dict)
    error_code = models.CharField(max_length=60, db_default="")
    error_detail = models.TextField(db_default="")
    parked_steps = models.PositiveSmallIntegerField(db_default=0)
    compensations_left = ArrayField(
        models.SmallIntegerField(),
        null=True,
        help_text="The positions still to be undone, where a person sent the run back to them.",
    )
    abort_requested = models.BooleanField(db_default=False)
    abort_reason = models.CharField(max_length=60, db_default="")
    deadline_at = models.DateTimeField(null=True)
    next_run_at = models.DateTimeField(db_default=Now())
    lease_token = models.BigIntegerField(db_default=0)
    lease_until = models.DateTimeField(null=True)
    version = models.IntegerField(db_default=1)
    correlation_id = models.CharField(max_length=64, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "saga run"
        permissions = [("repair_run", "Can retry, turn back, park and mark runs done")]
        constraints = [
            # In this order it also finds all runs of a business key.
            models.UniqueConstraint(fields=["business_key", "kind"], name="saga_run_once")
        ]
        indexes = [
            models.Index(
                fields=["kind", "direction", "next_run_at"],
                condition=models.Q(status__in=LIVE),
                name="saga_run_due",
            ),
            models.Index(
                fields=["next_run_at"],
                condition=models.Q(status__in=LIVE, claims__gte=2),
                name="saga_run_suspect",
            ),
            models.Index(
                fields=["next_run_at"],
                condition=models.Q(status__in=LIVE, style=Style.CHOREOGRAPHED),
                name="saga_run_unattended",
            ),
            models.Index(
                fields=["created_at"],
                condition=models.Q(status=RunStatus.FAILED),
                name="saga_run_parked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.business_key}"


class SagaStep(models.Model):
    """A step of a run in one direction, with what became of it."""

    # Written by the engine beside its run only; the constraint below is also the index.
    run = models.ForeignKey(
        SagaRun, models.CASCADE, related_name="steps", db_constraint=False, db_index=False
    )
    position = models.SmallIntegerField()
    direction = models.CharField(max_length=1, choices=Direction)
    name = models.CharField(max_length=40)
    status = models.CharField(max_length=12, choices=StepStatus)
    attempts = models.PositiveSmallIntegerField()
    result = models.JSONField(null=True)
    error_code = models.CharField(max_length=60, db_default="")
    error_detail = models.TextField(db_default="")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "saga step"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "position", "direction"], name="saga_step_checkpoint"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_direction_display()})"


class SagaLogEntry(models.Model):
    """What happened to a run beside plain progress: retries, turns, parking. Append-only."""

    run = models.ForeignKey(SagaRun, models.CASCADE, related_name="log", db_constraint=False)
    at = models.DateTimeField(db_default=Now())
    event = models.CharField(max_length=20)
    position = models.SmallIntegerField()
    direction = models.CharField(max_length=1, choices=Direction)
    attempt = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=60, db_default="")
    detail = models.TextField(db_default="")

    class Meta:
        verbose_name = "saga log entry"
        verbose_name_plural = "saga log"

    def __str__(self) -> str:
        return f"{self.event} {self.code}"
