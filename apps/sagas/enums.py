"""The words for what a saga is doing."""

from django.db.models import TextChoices

DATABASE = "orders"


class RunStatus(TextChoices):
    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"
    FAILED = "failed", "Parked: wants a person"


LIVE = (RunStatus.PENDING, RunStatus.IN_PROGRESS, RunStatus.COMPENSATING)
TERMINAL = (RunStatus.COMPLETED, RunStatus.COMPENSATED, RunStatus.FAILED)


class StepStatus(TextChoices):
    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    COMPENSATED = "compensated"
    SKIPPED = "skipped"


class Style(TextChoices):
    """Who carries a run on: the engine, or its participants by events (then the run only shows
    how far they are)."""

    ORCHESTRATED = "orchestrated"
    CHOREOGRAPHED = "choreographed"


class Direction(TextChoices):
    FORWARD = "F", "forward"
    BACKWARD = "B", "compensation"
