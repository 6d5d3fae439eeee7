from django.db import migrations


def forget(apps, schema_editor):
    """Workers look for due runs themselves; beat's entry for it would name a task that is gone."""
    entries = apps.get_model("django_celery_beat", "PeriodicTask").objects
    entries.using(schema_editor.connection.alias).filter(task="apps.sagas.tasks.recover").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("scheduling", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
