import django.db.models.functions.datetime
from django.db import migrations, models

from apps.common.sql import append_only

# What no month holds is kept in the default partition: an event is never refused for want of one.
TABLE = """
    CREATE SEQUENCE eventlog_position;
    CREATE TABLE eventlog_event (
        position bigint NOT NULL DEFAULT nextval('eventlog_position'),
        logged_at timestamptz NOT NULL DEFAULT statement_timestamp(),
        event_id uuid NOT NULL,
        topic varchar(100) NOT NULL,
        aggregate varchar(100) NOT NULL,
        aggregate_version bigint NOT NULL,
        schema_version smallint NOT NULL CHECK (schema_version >= 0),
        occurred_at timestamptz NOT NULL,
        payload jsonb NOT NULL,
        headers jsonb NOT NULL,
        order_id text,
        customer_id text,
        correlation_id text,
        PRIMARY KEY (position, logged_at)
    ) PARTITION BY RANGE (logged_at);
    ALTER SEQUENCE eventlog_position OWNED BY eventlog_event.position;
    CREATE TABLE eventlog_event_rest PARTITION OF eventlog_event DEFAULT;
    CREATE INDEX eventlog_event_id ON eventlog_event (event_id);
    CREATE INDEX eventlog_event_topic ON eventlog_event (topic, position);
    CREATE INDEX eventlog_event_aggregate ON eventlog_event (aggregate, position);
    CREATE INDEX eventlog_event_order ON eventlog_event (order_id, position)
        WHERE order_id IS NOT NULL;
    CREATE INDEX eventlog_event_customer ON eventlog_event (customer_id, position)
        WHERE customer_id IS NOT NULL;
    CREATE INDEX eventlog_event_cause ON eventlog_event (correlation_id)
        WHERE correlation_id IS NOT NULL;
    CREATE INDEX eventlog_event_time ON eventlog_event (logged_at, position);
"""
PARTITIONS = """
    CREATE FUNCTION eventlog_make_partitions(months int) RETURNS int LANGUAGE plpgsql AS $$
    DECLARE
        month timestamptz;
        name text;
        made int := 0;
    BEGIN
        FOR n IN 0..months LOOP
            month := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => n))
                AT TIME ZONE 'UTC';
            name := 'eventlog_event_' || to_char(month AT TIME ZONE 'UTC', 'YYYYMM');
            -- A month of which the default partition holds events already stays there.
            IF to_regclass(name) IS NULL AND NOT EXISTS (
                SELECT FROM eventlog_event_rest
                WHERE logged_at >= month AND logged_at < month + interval '1 month'
            ) THEN
                EXECUTE format(
                    'CREATE TABLE %I PARTITION OF eventlog_event FOR VALUES FROM (%L) TO (%L)',
                    name, month,
                    (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
                made := made + 1;
            END IF;
        END LOOP;
        RETURN made;
    END $$;
    SELECT eventlog_make_partitions(3);
"""
NO_TABLE = "DROP TABLE eventlog_event"
NO_PARTITIONS = "DROP FUNCTION eventlog_make_partitions(int)"
FIELDS = [
    ('position', models.BigIntegerField(primary_key=True, serialize=False)),
    ('logged_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
    ('event_id', models.UUIDField()),
    ('topic', models.CharField(max_length=100)),
    ('aggregate', models.CharField(max_length=100)),
    ('aggregate_version', models.BigIntegerField()),
    ('schema_version', models.PositiveSmallIntegerField()),
    ('occurred_at', models.DateTimeField()),
    ('payload', models.JSONField()),
    ('headers', models.JSONField()),
    ('order_id', models.TextField(null=True)),
    ('customer_id', models.TextField(null=True)),
    ('correlation_id', models.TextField(null=True)),
]


class Migration(migrations.Migration):

    initial = True
    dependencies = []

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(TABLE, NO_TABLE),
                migrations.RunSQL(PARTITIONS, NO_PARTITIONS),
                append_only('eventlog_event'),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='LoggedEvent',
                    fields=FIELDS,
                    options={'verbose_name': 'logged event', 'db_table': 'eventlog_event'},
                ),
            ],
        ),
        migrations.CreateModel(
            name='GroupProgress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group', models.CharField(max_length=60, unique=True)),
                ('since', models.BigIntegerField()),
                ('verified', models.BigIntegerField()),
                ('checked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={'verbose_name': "group's progress", 'verbose_name_plural': "groups' progress"},
        ),
        migrations.CreateModel(
            name='Sweep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('database', models.CharField(max_length=30)),
                ('table', models.CharField(max_length=30)),
                ('last', models.BigIntegerField(default=0)),
                ('swept_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={'constraints': [models.UniqueConstraint(fields=('database', 'table'), name='sweep_once')]},
        ),
    ]
