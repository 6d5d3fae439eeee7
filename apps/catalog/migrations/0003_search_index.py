"""Trigrams for the search; without the right to create the extension the shop does without.

``0006_search_entries`` has replaced the index.
"""

from django.db import DatabaseError, migrations, transaction

ALIAS = "catalog"
INDEX = "product_search"
COLUMNS = ("name", "sku", "description")


def create(state, editor):
    alias = editor.connection.alias
    if alias != ALIAS:
        return
    columns = ", ".join(f"upper({name}::text) gin_trgm_ops" for name in COLUMNS)
    try:
        with transaction.atomic(using=alias), editor.connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {INDEX} ON catalog_product USING gin ({columns})"
            )
    except DatabaseError:
        return  # the later migration tells why


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_prices_filters_permissions")]

    operations = [
        migrations.RunPython(create, migrations.RunPython.noop, elidable=False),
        migrations.RunSQL(migrations.RunSQL.noop, f"DROP INDEX IF EXISTS {INDEX}"),
    ]
