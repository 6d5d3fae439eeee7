"""Price history, public ids and versions of categories, permissions, indexes of the filters."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
import djmoney.models.fields
from django.db import migrations, models

import apps.common.ids
from apps.common.sql import append_only


def give_public_ids(state, editor):
    """A default of the column would give all categories the same one."""
    categories = state.get_model("catalog", "Category")
    for pk in categories._base_manager.using(editor.connection.alias).values_list("pk", flat=True):
        rows = categories._base_manager.using(editor.connection.alias).filter(pk=pk)
        rows.update(public_id=apps.common.ids.new_id())


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='PriceChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('before_currency', djmoney.models.fields.CurrencyField(choices=[('GBP', 'British Pound'), ('EUR', 'Euro'), ('USD', 'US Dollar')], default=None, editable=False, max_length=3, null=True)),
                ('before', djmoney.models.fields.MoneyField(decimal_places=2, default_currency=None, max_digits=12, null=True)),
                ('after_currency', djmoney.models.fields.CurrencyField(choices=[('GBP', 'British Pound'), ('EUR', 'Euro'), ('USD', 'US Dollar')], default=None, editable=False, max_length=3)),
                ('after', djmoney.models.fields.MoneyField(decimal_places=2, default_currency=None, max_digits=12)),
                ('version', models.PositiveIntegerField()),
                ('actor', models.CharField(max_length=100)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='price_changes', to='catalog.product')),
            ],
        ),
        migrations.AlterModelOptions(
            name='category',
            options={'permissions': [('restore_category', 'Can restore a deleted category'), ('purge_category', 'Can remove a deleted category for good')], 'verbose_name_plural': 'categories'},
        ),
        migrations.AlterModelOptions(
            name='product',
            options={'permissions': [('restore_product', 'Can restore a deleted product'), ('purge_product', 'Can remove a deleted product for good')]},
        ),
        migrations.AddField(
            model_name='category',
            name='public_id',
            field=models.UUIDField(null=True, editable=False),
        ),
        migrations.RunPython(give_public_ids, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='category',
            name='public_id',
            field=models.UUIDField(default=apps.common.ids.new_id, editable=False, unique=True),
        ),
        migrations.AddField(
            model_name='category',
            name='version',
            field=models.PositiveIntegerField(default=1, editable=False),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('deleted', None), ('active', True)), fields=['price', 'public_id'], name='product_by_price'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('deleted', None), ('active', True)), fields=['created_at', 'public_id'], name='product_by_age'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['name', 'id'], name='product_by_name'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=django.contrib.postgres.indexes.GinIndex(fields=['attributes'], name='product_attributes', opclasses=['jsonb_path_ops']),
        ),
        migrations.AddIndex(
            model_name='pricechange',
            index=models.Index(fields=['product', 'id'], name='price_change_of_product'),
        ),
        migrations.RunSQL(
            """
            INSERT INTO catalog_pricechange (product_id, after, after_currency, version, actor)
            SELECT id, price, price_currency, version, 'opening' FROM catalog_product
            """,
            migrations.RunSQL.noop,
        ),
        append_only('catalog_pricechange'),
    ]
