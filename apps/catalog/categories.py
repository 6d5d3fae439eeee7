"""Writes to the category tree."""

from collections.abc import Mapping

from django.db.models.functions import Now
from django.utils.text import slugify

from apps.catalog.checks import CATEGORY, check
from apps.catalog.enums import DATABASE
from apps.catalog.locks import lock_tree
from apps.catalog.models import Category, Product
from apps.catalog.services import naming_clashes
from apps.common.errors import Conflict, InvalidInput, NotFound


def category_create(*, name: str, slug: str = "", parent_id: int | None = None) -> Category:
    """A new category; the slug is made of the name unless given.

    Raises ``InvalidInput`` naming the fields that do not fit, ``Taken`` (``slug_taken``).
    """
    values = {"name": name.strip(), "slug": slug or slugify(name)}
    check(CATEGORY, values)
    with naming_clashes():
        _check_parent(lock_tree(), parent_id)
        category = Category(parent_id=parent_id, **values)
        category.save(using=DATABASE)
    return category


def category_change(
    *, category_id: int, name: str, slug: str, parent_id: int | None = None
) -> Category:
    """Renames or moves a living category, never below itself.

    Raises ``NotFound``, ``InvalidInput``, ``Taken`` (``slug_taken``).
    """
    values = {"name": name.strip(), "slug": slug}
    check(CATEGORY, values)
    with naming_clashes():
        tree = lock_tree()
        category = tree.get(category_id)
        if category is None or category.deleted is not None:
            raise NotFound("There is no such category (any more).")
        _check_parent(tree, parent_id, child_id=category_id)
        Category.objects.using(DATABASE).filter(pk=category_id).update(
            parent_id=parent_id, **values
        )
    return Category.objects.using(DATABASE).get(pk=category_id)


def category_delete(*, category_id: int) -> None:
    """Deletes an empty category; deleting a deleted one changes nothing.

    Raises ``NotFound``, ``Conflict`` (``category_in_use``) where products or categories are in
    it.
    """
    with naming_clashes():
        tree = lock_tree()
        if category_id not in tree:
            raise NotFound("There is no such category.")
        children = sum(
            one.parent_id == category_id and one.deleted is None for one in tree.values()
        )
        products = Product.objects.using(DATABASE).filter(category_id=category_id).count()
        if children or products:
            raise Conflict(
                f"It holds {products} products and {children} categories; move them first.",
                code="category_in_use",
            )
        Category.objects.using(DATABASE).filter(pk=category_id).update(deleted=Now())


def category_restore(*, category_id: int) -> Category:
    """Brings a deleted category back; restoring a living one changes nothing.

    Raises ``NotFound``, ``Taken`` (``slug_taken``), ``Conflict`` (``category_deleted``) where
    the category above it is deleted.
    """
    with naming_clashes():
        tree = lock_tree()
        if category_id not in tree:
            raise NotFound("There is no such category.")
        parent = tree.get(tree[category_id].parent_id)
        if parent is not None and parent.deleted is not None:
            raise Conflict(
                f"“{parent.name}” above it is deleted; restore that first.",
                code="category_deleted",
            )
        Category.deleted_objects.using(DATABASE).filter(pk=category_id).update(deleted=None)
    return Category.objects.using(DATABASE).get(pk=category_id)


def _check_parent(
    tree: Mapping[int, Category], parent_id: int | None, child_id: int | None = None
) -> None:
    if parent_id is None:
        return
    if parent_id not in tree or tree[parent_id].deleted is not None:
        raise InvalidInput.field("parent", "does_not_exist", "There is no such category.")
    above: int | None = parent_id
    while above is not None:
        if above == child_id:
            raise InvalidInput.field("parent", "cycle", "A category cannot stand below itself.")
        above = tree[above].parent_id
