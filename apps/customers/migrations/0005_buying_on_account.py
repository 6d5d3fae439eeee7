from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_purge_permission")]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("manage_staff", "Can manage staff accounts and their roles"),
                    ("purge_user", "Can remove a deleted customer for good"),
                    ("grant_account", "Can let a customer buy on account"),
                ],
            },
        ),
        migrations.AddField(
            model_name="user",
            name="buys_on_account",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="May order without a card; the shop sends an invoice.",
                verbose_name="buys on account",
            ),
        ),
    ]
