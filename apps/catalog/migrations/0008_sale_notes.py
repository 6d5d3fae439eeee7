"""What was sold and waits to be counted in Redis."""

from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("catalog", "0007_hold_expiry")]

    operations = [
        migrations.CreateModel(
            name="SaleNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=100, unique=True)),
                ("day", models.IntegerField(help_text="Of the sale: days since 1970, UTC.")),
                ("sign", models.IntegerField()),
                ("lines", models.JSONField(help_text="Product and pieces.")),
                (
                    "basket",
                    models.BooleanField(help_text="Whether it says what was bought together."),
                ),
                ("created_at", models.DateTimeField(db_default=Now())),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(sign__in=(1, -1)), name="sale_note_sign")
                ],
            },
        ),
    ]
