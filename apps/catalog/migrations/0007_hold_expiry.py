"""Finds the holds whose time is over without a look at what orders hold."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("catalog", "0006_search_entries")]

    operations = [
        migrations.AddIndex(
            "reservation",
            models.Index(
                fields=["expires_at"],
                condition=Q(status="live", expires_at__isnull=False),
                name="reservation_holds",
            ),
        ),
    ]
