"""What staff do to the cache by hand."""

from django.db import transaction

from apps.catalog import notes
from apps.catalog.caching.writing import writing
from apps.catalog.enums import DATABASE
from apps.catalog.models import Product


def product_cache_drop(*, product: Product) -> None:
    """Takes the product, and the pages that it stands on, out of the cache everywhere. Redis away:
    noted, and done as soon as it is back."""
    with writing() as cached, transaction.atomic(using=DATABASE):
        notes.product_noted(product, "drop_cache")
        cached.products([product.public_id], names=True, prices=True)
