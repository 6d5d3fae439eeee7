"""What could not be invalidated yet."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Invalidation(models.Model):
    """Keys that a committed transaction changed while the cache's Redis was away.

    Written in that transaction, removed once the keys are gone from Redis. ``names`` are those of
    ``Key.name``, ``catalog.product:01890a5d-…``.
    """

    names = ArrayField(models.TextField())
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "pending invalidation"

    def __str__(self) -> str:
        more = len(self.names) - 1
        return self.names[0] + (f" and {more} more" if more else "")
