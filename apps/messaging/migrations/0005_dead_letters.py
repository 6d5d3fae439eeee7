import django.db.models.functions.datetime
from django.db import migrations, models

# The message as it came takes the place of its payload.
KEEP_BODIES = """
    UPDATE messaging_deadletter SET body = convert_to(json_build_object(
        'event_id', event_id, 'topic', topic, 'aggregate', '', 'aggregate_version', 0,
        'schema_version', 1, 'occurred_at', created_at, 'payload', payload,
        'headers', headers)::text, 'UTF8')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0004_relay'),
    ]

    operations = [
        migrations.CreateModel(
            name='DeliveryAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('consumer', models.CharField(max_length=60)),
                ('event_id', models.UUIDField()),
                ('attempts', models.PositiveSmallIntegerField(db_default=0)),
                ('last_error', models.TextField(db_default='')),
                ('next_attempt_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.AddConstraint(
            model_name='deliveryattempt',
            constraint=models.UniqueConstraint(fields=('consumer', 'event_id'), name='delivery_attempt_once'),
        ),
        migrations.AlterModelOptions(
            name='deadletter',
            options={'permissions': [('redrive_deadletter', 'Can redrive dead letters')]},
        ),
        migrations.AddField(
            model_name='deadletter',
            name='body',
            field=models.BinaryField(default=b'', help_text='The message as it came.'),
            preserve_default=False,
        ),
        migrations.RunSQL(KEEP_BODIES, migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name='deadletter',
            name='payload',
        ),
        migrations.AddField(
            model_name='deadletter',
            name='deaths',
            field=models.PositiveIntegerField(db_default=1, help_text='How often it ended here.'),
        ),
        migrations.AddField(
            model_name='deadletter',
            name='last_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AlterField(
            model_name='deadletter',
            name='event_id',
            field=models.UUIDField(help_text="Made of the message's bytes where it says none."),
        ),
        migrations.AlterField(
            model_name='deadletter',
            name='reason',
            field=models.CharField(choices=[('unparseable', 'Unparseable'), ('unknown_schema', 'Unknown schema'), ('invalid_payload', 'Invalid payload'), ('too_large', 'Too large'), ('failed', 'Failed'), ('refused_by_broker', 'Refused by the broker')], max_length=60),
        ),
        migrations.AlterField(
            model_name='deadletter',
            name='redriven_at',
            field=models.DateTimeField(help_text='When it was applied after all.', null=True),
        ),
        migrations.AddIndex(
            model_name='deadletter',
            index=models.Index(condition=models.Q(('redriven_at', None)), fields=['consumer', 'reason'], name='dead_letter_waiting'),
        ),
    ]
