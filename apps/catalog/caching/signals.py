"""What the admin or a shell changes past the services leaves the cache too.

Django signals do one thing here: invalidate caches after commit. Inside ``writing`` they do
nothing, since that knows what is changed.
"""

from typing import Any

from django.db import connections, transaction
from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from apps.caching.changing import is_changing
from apps.catalog.caching.writing import CatalogChanges, writing
from apps.catalog.enums import DATABASE
from apps.catalog.models import Category, Product, StockItem


def connect() -> None:
    """Called once, when the app is ready."""
    for model in (Product, Category, StockItem):
        for signal in (post_save, post_delete):
            signal.connect(invalidate, sender=model, dispatch_uid=f"caches.{model.__name__}")


def invalidate(instance: Model, using: str, **kwargs: Any) -> None:
    """What ``instance`` is behind: before the COMMIT of the transaction that is open, or, where the
    row is committed by now, at once."""
    if using != DATABASE or is_changing(DATABASE):
        return
    with writing() as cached:
        if connections[DATABASE].in_atomic_block:
            _tell(cached, instance)
            return
        with transaction.atomic(using=DATABASE):
            _tell(cached, instance)


def _tell(cached: CatalogChanges, instance: Model) -> None:
    match instance:
        case Product():
            cached.made([instance.public_id])
        case Category():
            cached.category(instance.pk)
        case StockItem():
            cached.products([instance.product.public_id])
