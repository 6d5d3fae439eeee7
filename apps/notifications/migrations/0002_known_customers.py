"""Who was a customer before anybody told of customers gets mails too."""

from django.db import migrations


def copy_customers(apps, schema_editor):
    users = apps.get_model("customers", "User")._base_manager
    recipients = apps.get_model("notifications", "Recipient").objects
    alias = schema_editor.connection.alias
    batch = []
    for user in users.using(alias).order_by("pk").iterator(chunk_size=1_000):
        batch.append(
            recipients.model(
                customer_id=user.public_id,
                email=user.email,
                name=user.name,
                gone=user.deleted is not None,
                version=0,  # whatever an event tells is newer
            )
        )
        if len(batch) == 1_000:
            recipients.using(alias).bulk_create(batch, ignore_conflicts=True)
            batch = []
    recipients.using(alias).bulk_create(batch, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_initial"),
        ("customers", "0005_buying_on_account"),
    ]

    operations = [migrations.RunPython(copy_customers, migrations.RunPython.noop)]
