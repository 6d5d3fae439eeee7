"""Trigrams for the search; without the right to create the extension the shop does without."""

import sys

from django.db import migrations

from apps.catalog import search


def create(state, editor):
    if editor.connection.alias != search.DATABASE:
        return
    if reason := search.create_index(editor.connection.alias):
        sys.stderr.write(f"\n  No index for the search ({reason}). {search.HINT}\n")


class Migration(migrations.Migration):

    dependencies = [("catalog", "0002_prices_filters_permissions")]

    operations = [
        migrations.RunPython(create, migrations.RunPython.noop, elidable=False),
        migrations.RunSQL(migrations.RunSQL.noop, f"DROP INDEX IF EXISTS {search.INDEX}"),
    ]
