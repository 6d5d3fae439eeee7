"""Deleted products and categories: what hangs on what, and how they come back together."""

from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet

from apps.catalog import categories, services
from apps.catalog.enums import DATABASE
from apps.catalog.models import Category, Product
from apps.catalog.naming import naming_clashes
from apps.catalog.searching import matching
from apps.common.trash import Bin, Clash, Plan, Trashed

PRODUCT, CATEGORY = "product", "category"
MOST_BELOW = 200


def _trashed(row: Product | Category) -> Trashed:
    kind = PRODUCT if isinstance(row, Product) else CATEGORY
    return Trashed(kind, row.pk, str(row), row.deleted)


def _newest(rows: QuerySet, most: int) -> tuple[int, list[Trashed]]:
    return rows.count(), [_trashed(row) for row in rows.order_by("-deleted", "-pk")[:most]]


def products_newest(q: str, most: int) -> tuple[int, list[Trashed]]:
    rows = Product.deleted_objects.using(DATABASE)
    return _newest(rows.filter(matching(q)), most)


def categories_newest(q: str, most: int) -> tuple[int, list[Trashed]]:
    rows = Category.deleted_objects.using(DATABASE)
    return _newest(rows.filter(Q(name__icontains=q) | Q(slug__icontains=q)) if q else rows, most)


def product_plan(pk: int) -> Plan | None:
    """The product's deleted categories must come back with it."""
    product = Product.deleted_objects.using(DATABASE).filter(pk=pk).first()
    if product is None:
        return None
    above = _deleted_from(product.category_id)
    clashes = [*_category_clashes(above), *_product_clashes([product])]
    return Plan(_trashed(product), tuple(map(_trashed, above)), (), tuple(clashes))


def category_plan(pk: int) -> Plan | None:
    """The deleted categories above it must come back with it, its deleted products may."""
    path = _deleted_from(pk)
    if not path:
        return None
    below = Product.deleted_objects.using(DATABASE).filter(category_id=pk)
    below = list(below.order_by("-deleted", "-pk")[:MOST_BELOW])
    clashes = [*_category_clashes(path), *_product_clashes(below)]
    *above, category = map(_trashed, path)
    return Plan(category, tuple(above), tuple(map(_trashed, below)), tuple(clashes))


def product_restore(pk: int, below: Sequence[int] = ()) -> None:
    """The product with the deleted categories that it stands in."""
    with naming_clashes():
        category_id = (
            Product.all_objects.using(DATABASE).filter(pk=pk).values_list("category_id", flat=True)
        ).first()
        _restore_path(category_id)
        services.product_restore(product_pk=pk)


def category_restore(pk: int, below: Sequence[int] = ()) -> None:
    """The category with the deleted ones above it, and its products ``below``."""
    with naming_clashes():
        _restore_path(pk)
        own = Product.deleted_objects.using(DATABASE).filter(category_id=pk, pk__in=list(below))
        for product_pk in own.order_by("pk").values_list("pk", flat=True):
            services.product_restore(product_pk=product_pk)


def _restore_path(category_id: int | None) -> None:
    for category in _deleted_from(category_id):
        categories.category_restore(category_id=category.pk)


def _deleted_from(category_id: int | None) -> list[Category]:
    """The category and those above it, as far as they are deleted; the topmost first."""
    tree = {one.pk: one for one in Category.all_objects.using(DATABASE)}
    path = []
    while (one := tree.get(category_id)) is not None:
        if one.deleted is not None:
            path.append(one)
        category_id = one.parent_id
    return path[::-1]


def _category_clashes(rows: Iterable[Category]) -> list[Clash]:
    wanted = {row.slug: row for row in rows}
    living = Category.objects.using(DATABASE).filter(slug__in=wanted)
    return [Clash(_trashed(wanted[one.slug]), "slug", one.slug, str(one), one.pk) for one in living]


def _product_clashes(rows: Sequence[Product]) -> list[Clash]:
    skus, slugs = [row.sku for row in rows], [row.slug for row in rows]
    living = list(Product.objects.using(DATABASE).filter(Q(sku__in=skus) | Q(slug__in=slugs)))
    return [
        Clash(_trashed(row), field, value, str(one), one.pk)
        for row in rows
        for field in ("sku", "slug")
        for one in living
        if (value := getattr(row, field)) == getattr(one, field)
    ]


BINS = (
    Bin(
        PRODUCT,
        "Products",
        "catalog.Product",
        products_newest,
        product_plan,
        product_restore,
        lambda pk: services.product_purge(product_pk=pk),
        "catalog.purge_product",
    ),
    Bin(
        CATEGORY,
        "Categories",
        "catalog.Category",
        categories_newest,
        category_plan,
        category_restore,
        lambda pk: categories.category_purge(category_id=pk),
        "catalog.purge_category",
    ),
)
