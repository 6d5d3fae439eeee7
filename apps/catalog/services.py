"""Writes to products: guarded by their version, never bringing a deleted one back by accident."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from moneyed import Money

from apps.catalog import events, locks, notes, prices, stock
from apps.catalog.caching.writing import writing
from apps.catalog.checks import PRODUCT, check
from apps.catalog.enums import DATABASE
from apps.catalog.feed import draining
from apps.catalog.models import Category, Product
from apps.catalog.naming import naming_clashes, slug_of
from apps.common import references
from apps.common.databases import execute
from apps.common.errors import Conflict, InvalidInput, NotFound, VersionConflict

CHANGEABLE = frozenset(
    {"sku", "slug", "name", "description", "attributes", "active", "price", "category_id"}
)


# What says on which pages of the list a product stands, and where.
LISTED = frozenset({"name", "active", "category_id"})


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
    with writing() as cached, naming_clashes():
        category = None if category_id is None else locks.lock_category(category_id)
        product = Product(active=active, category=category, **values)
        product.save(using=DATABASE)
        stock.open_items([product.pk])
        prices.record([prices.PriceMove(product.pk, None, price, product.version)])
        events.products_created([product.pk])
        notes.product_noted(product, "create", after=notes.facts(product))
        cached.made([product.public_id], through=True)
    product.refresh_from_db(using=DATABASE)
    return product


def product_change(*, product_pk: int, version: int, changes: Mapping[str, Any]) -> Product:
    """Changes some of ``CHANGEABLE`` if the product is still at ``version``, which then grows.

    What changes nothing leaves the version alone. Raises ``NotFound`` where it is deleted or
    never was, ``VersionConflict`` where somebody else was first, else as ``product_create``.
    """
    if unknown := changes.keys() - CHANGEABLE:
        raise ValueError(f"not changeable: {sorted(unknown)}")
    check(PRODUCT, changes)
    drained = draining.drain_rows(pks=[product_pk])
    with writing() as cached, naming_clashes():
        category_id = changes.get("category_id")
        category = None if category_id is None else locks.lock_category(category_id)
        before = locks.lock_product(product_pk)
        if before is None or before.deleted or before.version != version:
            raise _refusal(before, version)
        changes = {name: new for name, new in changes.items() if getattr(before, name) != new}
        if changes and not (
            Product.objects.using(DATABASE)
            .filter(pk=product_pk, version=version)
            .update(**_columns(changes), version=F("version") + 1, updated_at=Now())
        ):
            raise _refusal(before, version)
        if "price" in changes:
            move = prices.PriceMove(product_pk, before.price, changes["price"], version + 1)
            prices.record([move])
        if not drained and not draining.FED.isdisjoint(changes):
            draining.outdate([before.public_id])
        if changes:
            events.products_updated([product_pk])
            after = {name: notes.plain(value) for name, value in changes.items()}
            if "category_id" in after:
                del after["category_id"]
                after["category"] = category.slug if category else None
            notes.product_noted(before, "change", *notes.differing(notes.facts(before), after))
            cached.products(
                [before.public_id],
                names=not LISTED.isdisjoint(changes),
                prices="price" in changes,
                through=True,
            )
    return Product.objects.using(DATABASE).get(pk=product_pk)


def product_delete(*, product_pk: int, version: int | None = None) -> None:
    """Takes the product out of the shop; what is promised of it stays promised.

    Deleting a deleted product changes nothing. Raises ``NotFound`` where it never was,
    ``VersionConflict`` where ``version`` is given and no longer true.
    """
    draining.drain_rows(pks=[product_pk])
    with writing() as cached, transaction.atomic(using=DATABASE):
        product = locks.lock_product(product_pk)
        if product is None or (
            product.deleted is None and version is not None and product.version != version
        ):
            raise _refusal(product, version)
        if product.deleted is None:
            Product.objects.using(DATABASE).filter(pk=product_pk).update(
                deleted=Now(), version=F("version") + 1, updated_at=Now()
            )
            events.product_deleted(product_pk)
            notes.product_noted(product, "delete", before=notes.facts(product))
            cached.products([product.public_id], names=True, through=True)


def product_restore(*, product_pk: int) -> Product:
    """Brings a deleted product back; restoring a living one changes nothing.

    Raises ``Taken`` (``sku_taken``, ``slug_taken``) where a living product has its name
    meanwhile, ``Conflict`` (``category_deleted``) where its category is deleted, ``NotFound``.
    """
    with writing() as cached, naming_clashes():
        shelf = _lock_shelf(product_pk)
        product = locks.lock_product(product_pk)
        if product is None:
            raise NotFound("There is no such product.")
        if product.deleted is None:
            return product
        if product.category_id != shelf:
            raise Conflict("It was restored, moved and deleted again.", code="changed_meanwhile")
        Product.deleted_objects.using(DATABASE).filter(pk=product_pk).update(
            deleted=None, version=F("version") + 1, updated_at=Now()
        )
        events.product_restored(product_pk)
        notes.product_noted(product, "restore", after=notes.facts(product))
        cached.products([product.public_id], names=True, through=True)
    return Product.objects.using(DATABASE).get(pk=product_pk)


def product_purge(*, product_pk: int) -> None:
    """Removes a deleted product for good, with its history of prices; nothing brings it back.

    Raises ``NotFound``, ``Conflict``: ``not_deleted`` where it still lives, ``in_use`` where
    reservations, the stock ledger or orders tell of it: books must name what they are about.
    """
    with writing() as cached, transaction.atomic(using=DATABASE):
        product = locks.lock_product(product_pk)
        if product is None:
            raise NotFound("There is no such product.")
        if product.deleted is None:
            raise Conflict("Only a deleted product can be purged.", code="not_deleted")
        stock.close_item(product_pk)
        if references.referred(notes.PRODUCT, [product.public_id]):
            raise Conflict("Orders name it.", code="in_use")
        prices.forget(product_pk)
        execute(DATABASE, "DELETE FROM catalog_product WHERE id = %s", [product_pk])
        notes.product_noted(product, "purge", before=notes.facts(product))
        cached.products([product.public_id])


def _lock_shelf(product_pk: int) -> int | None:
    """Locks the category of a deleted product, which nobody can move meanwhile."""
    rows = Product.deleted_objects.using(DATABASE).filter(pk=product_pk)
    category_id = rows.values_list("category_id", flat=True).first()
    if category_id is None:
        return None
    try:
        return locks.lock_category(category_id).pk
    except InvalidInput:
        name = Category.all_objects.using(DATABASE).get(pk=category_id).name
        raise Conflict(
            f"Its category “{name}” is deleted; restore that first.", code="category_deleted"
        ) from None


def _columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    if "price" not in changes:
        return dict(changes)
    price = changes["price"]
    return {**changes, "price": price.amount, "price_currency": price.currency.code}


def _refusal(product: Product | None, version: int | None) -> NotFound | VersionConflict:
    if product is None or product.deleted:
        return NotFound("There is no such product (any more).")
    current = product.version
    return VersionConflict(f"The product is at version {current}, not {version}.", version=current)
