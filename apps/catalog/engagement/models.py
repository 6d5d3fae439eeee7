"""What waits to be counted."""

from django.db import models
from django.db.models.functions import Now


class SaleNote(models.Model):
    """Pieces that were sold (``sign`` 1) or are taken back (-1), on their way to Redis."""

    key = models.CharField(max_length=100, unique=True)
    day = models.IntegerField(help_text="Of the sale: days since 1970, UTC.")
    sign = models.IntegerField()
    lines = models.JSONField(help_text="Product and pieces.")
    basket = models.BooleanField(help_text="Whether it says what was bought together.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "catalog"
        constraints = [
            models.CheckConstraint(condition=models.Q(sign__in=(1, -1)), name="sale_note_sign")
        ]

    def __str__(self) -> str:
        return self.key
