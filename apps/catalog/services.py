"""Writes to products: guarded by their version, never bringing a deleted one back by accident."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.text import slugify
from moneyed import Money

from apps.catalog import locks, stock
from apps.catalog.checks import PRODUCT, check
from apps.catalog.enums import DATABASE
from apps.catalog.errors import taken
from apps.catalog.models import Category, Product
from apps.common.errors import Conflict, InvalidInput, NotFound, VersionConflict
from apps.common.ids import new_id

CHANGEABLE = frozenset(
    {"sku", "slug", "name", "description", "attributes", "active", "price", "category_id"}
)


def slug_of(name: str, sku: str) -> str:
    """A slug made of name and sku; a UUID where neither has a character that a slug may have."""
    return slugify(f"{name[:150]} {sku[:64]}") or str(new_id())


@contextmanager
def naming_clashes() -> Iterator[None]:
    """A transaction on ``catalog`` whose unique violations become ``Taken``."""
    try:
        with transaction.atomic(using=DATABASE):
            yield
    except IntegrityError as error:
        clash = taken(error)
        if clash is None:
            raise
        raise clash from error


def product_create(
    *,
    sku: str,
    name: str,
    price: Money,
    slug: str = "",
    description: str = "",
    attributes: Mapping[str, Any] | None = None,
    active: bool = True,
    category_id: int | None = None,
) -> Product:
    """A new product with a stock item at zero; the slug is made of name and sku unless given.

    Raises ``InvalidInput`` naming the fields that do not fit, ``Taken`` where a living product
    has the sku or the slug.
    """
    values = {
        "sku": sku.strip(),
        "name": name.strip(),
        "price": price,
        "slug": slug or slug_of(name, sku),
        "description": description,
        "attributes": dict(attributes or {}),
    }
    check(PRODUCT, values)
    with naming_clashes():
        if category_id is not None:
            locks.lock_category(category_id)
        product = Product(active=active, category_id=category_id, **values)
        product.save(using=DATABASE)
        stock.open_items([product.pk])
    product.refresh_from_db(using=DATABASE)
    return product


def product_change(*, product_pk: int, version: int, changes: Mapping[str, Any]) -> Product:
    """Changes some of ``CHANGEABLE`` if the product is still at ``version``, which then grows.

    Raises ``NotFound`` where it is deleted or never was, ``VersionConflict`` where somebody
    else was first, else as ``product_create``.
    """
    if unknown := changes.keys() - CHANGEABLE:
        raise ValueError(f"not changeable: {sorted(unknown)}")
    check(PRODUCT, changes)
    columns = dict(changes)
    if "price" in changes:
        columns |= {
            "price": changes["price"].amount,
            "price_currency": changes["price"].currency.code,
        }
    with naming_clashes():
        if changes.get("category_id") is not None:
            locks.lock_category(changes["category_id"])
        changed = (
            Product.objects.using(DATABASE)
            .filter(pk=product_pk, version=version)
            .update(**columns, version=F("version") + 1, updated_at=Now())
        )
        if not changed:
            _refuse(product_pk, version)
    return Product.objects.using(DATABASE).get(pk=product_pk)


def product_delete(*, product_pk: int, version: int | None = None) -> None:
    """Takes the product out of the shop; what is promised of it stays promised.

    Deleting a deleted product changes nothing. Raises ``NotFound`` where it never was,
    ``VersionConflict`` where ``version`` is given and no longer true.
    """
    with transaction.atomic(using=DATABASE):
        living = Product.objects.using(DATABASE).filter(pk=product_pk)
        if version is not None:
            living = living.filter(version=version)
        deleted = living.update(deleted=Now(), version=F("version") + 1, updated_at=Now())
        if not deleted and not (
            Product.deleted_objects.using(DATABASE).filter(pk=product_pk).exists()
        ):
            _refuse(product_pk, version)


def product_restore(*, product_pk: int) -> Product:
    """Brings a deleted product back; restoring a living one changes nothing.

    Raises ``Taken`` (``sku_taken``, ``slug_taken``) where a living product has its name
    meanwhile, ``Conflict`` (``category_deleted``) where its category is deleted, ``NotFound``.
    """
    with naming_clashes():
        product = (
            Product.all_objects.using(DATABASE)
            .select_for_update(of=("self",))
            .filter(pk=product_pk)
            .first()
        )
        if product is None:
            raise NotFound("There is no such product.")
        if product.deleted is None:
            return product
        if product.category_id is not None:
            try:
                locks.lock_category(product.category_id)
            except InvalidInput:
                name = Category.all_objects.using(DATABASE).get(pk=product.category_id).name
                raise Conflict(
                    f"Its category “{name}” is deleted; restore that first.",
                    code="category_deleted",
                ) from None
        Product.deleted_objects.using(DATABASE).filter(pk=product_pk).update(
            deleted=None, version=F("version") + 1, updated_at=Now()
        )
    return Product.objects.using(DATABASE).get(pk=product_pk)


def _refuse(product_pk: int, version: int | None) -> None:
    now = Product.objects.using(DATABASE).filter(pk=product_pk).values_list("version", flat=True)
    current = now.first()
    if current is None:
        raise NotFound("There is no such product (any more).")
    raise VersionConflict(f"The product is at version {current}, not {version}.", version=current)
