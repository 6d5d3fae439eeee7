"""Query sets whose ``update`` and ``bulk_*``, which send no signals, invalidate what they change.

For a shell and for whoever passes the services by; inside ``writing`` they add nothing, since that
knows what is changed.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import models, transaction
from safedelete.queryset import SafeDeleteQueryset

from apps.caching.changing import is_changing
from apps.catalog.caching.writing import CatalogChanges, writing
from apps.catalog.enums import DATABASE


class Invalidating(models.QuerySet):
    """``tell`` says of rows (what ``column`` has of each) which cached things they are behind."""

    column = "pk"

    def tell(self, cached: CatalogChanges, found: Sequence[Any]) -> None:
        raise NotImplementedError

    def update(self, **values: Any) -> int:
        if is_changing(DATABASE):
            return super().update(**values)
        return self._telling(self._found, lambda: super(Invalidating, self).update(**values))

    update.alters_data = True

    def bulk_update(self, objs: Iterable[Any], fields: Sequence[str], **options: Any) -> int:
        rows = list(objs)
        return self._telling(
            lambda: self._of(rows),
            lambda: super(Invalidating, self).bulk_update(rows, fields, **options),
        )

    bulk_update.alters_data = True

    def bulk_create(self, objs: Iterable[Any], **options: Any) -> list[Any]:
        rows = list(objs)
        return self._telling(
            lambda: self._of(rows), lambda: super(Invalidating, self).bulk_create(rows, **options)
        )

    bulk_create.alters_data = True

    def _raw_delete(self, using: str) -> int:
        if is_changing(DATABASE):
            return super()._raw_delete(using)
        return self._telling(self._found, lambda: super(Invalidating, self)._raw_delete(using))

    _raw_delete.alters_data = True

    def _telling(self, find: Callable[[], Sequence[Any]], write: Callable[[], Any]) -> Any:
        with writing() as cached, transaction.atomic(using=DATABASE):
            before = find()
            done = write()
            self.tell(cached, list(dict.fromkeys([*before, *find()])))
            return done

    def _found(self) -> Sequence[Any]:
        return list(self.order_by().values_list(self.column, flat=True))

    def _of(self, rows: Sequence[Any]) -> Sequence[Any]:
        pks = [row.pk for row in rows if row.pk is not None]
        every = self.model._base_manager.using(DATABASE).filter(pk__in=pks)
        return list(every.values_list(self.column, flat=True))


class ProductQuerySet(Invalidating, SafeDeleteQueryset):
    column = "public_id"

    def tell(self, cached: CatalogChanges, found: Sequence[UUID]) -> None:
        cached.made(found)


class CategoryQuerySet(Invalidating, SafeDeleteQueryset):
    def tell(self, cached: CatalogChanges, found: Sequence[int]) -> None:
        cached.category()
        for pk in found:
            cached.category(pk)


class StockQuerySet(Invalidating):
    column = "product__public_id"

    def tell(self, cached: CatalogChanges, found: Sequence[UUID]) -> None:
        cached.products(found)
