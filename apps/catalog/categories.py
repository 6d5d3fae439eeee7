"""Writes to the category tree."""

from collections.abc import Mapping

from django.db.models import F
from django.db.models.functions import Now
from django.utils.text import slugify

from apps.catalog import events, notes
from apps.catalog.caching.writing import writing
from apps.catalog.checks import CATEGORY, check
from apps.catalog.enums import DATABASE
from apps.catalog.locks import lock_tree
from apps.catalog.models import Category, Product
from apps.catalog.naming import naming_clashes
from apps.common.databases import execute
from apps.common.errors import Conflict, InvalidInput, NotFound, VersionConflict

MAX_LEVELS = 20
Tree = Mapping[int, Category]


def category_create(*, name: str, slug: str = "", parent_id: int | None = None) -> Category:
    """A new category; the slug is made of the name unless given.

    Raises ``InvalidInput`` naming the fields that do not fit, ``Taken`` (``slug_taken``).
    """
    values = {"name": name.strip(), "slug": slug or slugify(name)}
    check(CATEGORY, values)
    with writing() as cached, naming_clashes():
        tree = lock_tree()
        _check_parent(tree, parent_id)
        category = Category(parent_id=parent_id, **values)
        category.save(using=DATABASE)
        events.categories_created([category.pk])
        after = notes.category_facts(category, tree.get(parent_id))
        notes.category_noted(category, "create", after=after)
        cached.category()
    return category


def category_change(
    *,
    category_id: int,
    name: str,
    slug: str,
    parent_id: int | None = None,
    version: int | None = None,
) -> Category:
    """Renames or moves a living category, never below itself; its version grows if it changes.

    Raises ``NotFound``, ``InvalidInput``, ``Taken`` (``slug_taken``), ``VersionConflict`` where
    ``version`` is given and no longer true.
    """
    values = {"name": name.strip(), "slug": slug}
    check(CATEGORY, values)
    with writing() as cached, naming_clashes():
        tree = lock_tree()
        category = _living(tree, category_id, version)
        before = notes.category_facts(category, tree.get(category.parent_id))
        _check_parent(tree, parent_id, child_id=category_id)
        category.parent_id, category.name, category.slug = parent_id, values["name"], slug
        after = notes.category_facts(category, tree.get(parent_id))
        if after != before:
            Category.objects.using(DATABASE).filter(pk=category_id).update(
                parent_id=parent_id, version=F("version") + 1, **values
            )
            events.category_updated(category_id)
            notes.category_noted(category, "change", *notes.differing(before, after))
            shown = any(before[name] != after[name] for name in ("name", "slug"))
            cached.category(category_id if shown else None)
    return Category.objects.using(DATABASE).get(pk=category_id)


def category_delete(*, category_id: int, version: int | None = None) -> None:
    """Deletes an empty category; deleting a deleted one changes nothing.

    Raises ``NotFound``, ``VersionConflict``, ``Conflict`` (``category_in_use``) where products
    or categories are in it.
    """
    with writing() as cached, naming_clashes():
        tree = lock_tree()
        if category_id in tree and tree[category_id].deleted is not None:
            return
        category = _living(tree, category_id, version)
        children = sum(
            one.parent_id == category_id and one.deleted is None for one in tree.values()
        )
        products = Product.objects.using(DATABASE).filter(category_id=category_id).count()
        if children or products:
            raise Conflict(
                f"It holds {products} products and {children} categories; move them first.",
                code="category_in_use",
            )
        Category.objects.using(DATABASE).filter(pk=category_id).update(
            deleted=Now(), version=F("version") + 1
        )
        events.category_deleted(category_id)
        before = notes.category_facts(category, tree.get(category.parent_id))
        notes.category_noted(category, "delete", before=before)
        cached.category()


def category_restore(*, category_id: int) -> Category:
    """Brings a deleted category back; restoring a living one changes nothing.

    Raises ``NotFound``, ``Taken`` (``slug_taken``), ``Conflict`` (``category_deleted``) where
    the category above it is deleted.
    """
    with writing() as cached, naming_clashes():
        tree = lock_tree()
        if category_id not in tree:
            raise NotFound("There is no such category.")
        category = tree[category_id]
        parent = tree.get(category.parent_id)
        if parent is not None and parent.deleted is not None:
            raise Conflict(
                f"“{parent.name}” above it is deleted; restore that first.",
                code="category_deleted",
            )
        if category.deleted is not None:
            Category.deleted_objects.using(DATABASE).filter(pk=category_id).update(
                deleted=None, version=F("version") + 1
            )
            events.category_restored(category_id)
            notes.category_noted(category, "restore", after=notes.category_facts(category, parent))
            cached.category()
    return Category.objects.using(DATABASE).get(pk=category_id)


def category_purge(*, category_id: int) -> None:
    """Removes a deleted category for good.

    Raises ``NotFound``, ``Conflict``: ``not_deleted`` where it still lives, ``in_use`` where
    products or categories, deleted ones too, say that they are in it.
    """
    with writing() as cached, naming_clashes():
        tree = lock_tree()
        if category_id not in tree:
            raise NotFound("There is no such category.")
        category = tree[category_id]
        if category.deleted is None:
            raise Conflict("Only a deleted category can be purged.", code="not_deleted")
        children = sum(one.parent_id == category_id for one in tree.values())
        products = Product.all_objects.using(DATABASE).filter(category_id=category_id).count()
        if children or products:
            raise Conflict(
                f"{products} products and {children} categories, deleted ones too, are in it.",
                code="in_use",
            )
        execute(DATABASE, "DELETE FROM catalog_category WHERE id = %s", [category_id])
        before = notes.category_facts(category, tree.get(category.parent_id))
        notes.category_noted(category, "purge", before=before)
        cached.category()


def _living(tree: Tree, category_id: int, version: int | None) -> Category:
    category = tree.get(category_id)
    if category is None or category.deleted is not None:
        raise NotFound("There is no such category (any more).")
    if version is not None and category.version != version:
        raise VersionConflict(
            f"The category is at version {category.version}, not {version}.",
            version=category.version,
        )
    return category


def _check_parent(tree: Tree, parent_id: int | None, child_id: int | None = None) -> None:
    if parent_id is None:
        return
    if parent_id not in tree or tree[parent_id].deleted is not None:
        raise InvalidInput.field("parent", "does_not_exist", "There is no such category.")
    above = _line(tree, parent_id)
    if child_id in above:
        raise InvalidInput.field("parent", "cycle", "A category cannot stand below itself.")
    if len(above) + _height(tree, child_id) > MAX_LEVELS:
        raise InvalidInput.field("parent", "too_deep", f"At most {MAX_LEVELS} levels.")


def _line(tree: Tree, category_id: int | None) -> list[int]:
    """The category and all above it."""
    line = []
    while category_id is not None:
        line.append(category_id)
        category_id = tree[category_id].parent_id
    return line


def _height(tree: Tree, category_id: int | None) -> int:
    """How many levels a category and what is below it take; a new one takes one."""
    if category_id is None:
        return 1
    lines = (_line(tree, pk) for pk in tree)
    return max(line.index(category_id) + 1 for line in lines if category_id in line)
