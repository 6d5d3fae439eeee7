from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0004_products_of_a_category'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='product',
            options={'permissions': [('restore_product', 'Can restore a deleted product'), ('purge_product', 'Can remove a deleted product for good'), ('send_feed', 'Can send a feed of prices, attributes and stock')]},
        ),
        migrations.AddField(
            model_name='product',
            name='feed_counter',
            field=models.BigIntegerField(db_default=0, editable=False),
        ),
        migrations.AddField(
            model_name='product',
            name='feed_epoch',
            field=models.BigIntegerField(db_default=0, editable=False),
        ),
        # Epochs of the edits that a feed makes: a new one whenever Redis may have lost some.
        migrations.RunSQL(
            'CREATE SEQUENCE catalog_feed_epoch', 'DROP SEQUENCE catalog_feed_epoch'
        ),
    ]
