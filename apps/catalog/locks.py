"""Row locks of the catalogue's own tables, in key order (stock has its own in ``stock.sql``).

A transaction that needs both locks categories first, then products.
"""

from collections.abc import Iterable

from apps.catalog.enums import DATABASE
from apps.catalog.models import Category, Product
from apps.common.errors import InvalidInput


def lock_category(category_id: int) -> Category:
    """The living category, locked so that it cannot be deleted before this transaction ends."""
    found = Category.objects.using(DATABASE).select_for_update().filter(pk=category_id).first()
    if found is None:
        raise InvalidInput.field("category", "does_not_exist", "There is no such category.")
    return found


def lock_tree() -> dict[int, Category]:
    """All categories, deleted ones too, locked: the shape of the tree is this transaction's."""
    rows = Category.all_objects.using(DATABASE).select_for_update().order_by("pk")
    return {one.pk: one for one in rows}


def lock_product(product_pk: int) -> Product | None:
    """The product, deleted or not, with its category; nobody else changes it meanwhile."""
    rows = Product.all_objects.using(DATABASE).select_for_update(of=("self",), no_key=True)
    return rows.select_related("category").filter(pk=product_pk).first()


def lock_products(skus: Iterable[str]) -> dict[str, Product]:
    """The living products of these SKUs, with their categories."""
    rows = Product.objects.using(DATABASE).select_for_update(of=("self",), no_key=True)
    rows = rows.select_related("category").filter(sku__in=list(skus)).order_by("pk")
    return {one.sku: one for one in rows}
