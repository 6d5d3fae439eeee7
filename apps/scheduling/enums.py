"""The room's vocabulary."""

from django.db import models

DATABASE = "default"


class Outcome(models.TextChoices):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused", "Already running"  # another run had the lock: this one did nothing
    LOST = "lost"  # its process died; the next run found out


class Trigger(models.TextChoices):
    SCHEDULE = "schedule"
    STAFF = "staff"
    COMMAND = "command"
