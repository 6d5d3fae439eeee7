"""What becomes of each item, given the shop as it is. Pure: reads and writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from moneyed import Money

from apps.catalog import notes
from apps.catalog.checks import PRODUCT, check
from apps.catalog.contracts import BulkError, BulkItem, BulkOutcome
from apps.catalog.models import Product
from apps.catalog.naming import slug_of
from apps.common.errors import InvalidInput
from apps.common.ids import new_id

PLAIN = ("name", "description", "attributes", "active")


@dataclass(frozen=True)
class Shop:
    """The locked part of it: products by sku, categories by slug, and who has which slug."""

    living: Mapping[str, Product]
    categories: Mapping[str, int]
    holders: Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """A product as it shall be; ``pk`` is None for a new one."""

    pk: int | None
    public_id: UUID
    sku: str
    slug: str
    name: str
    description: str
    attributes: dict[str, Any]
    active: bool
    price: Money
    category_id: int | None
    version: int


@dataclass(frozen=True)
class Decision:
    """``row`` is None for an error; ``old_price`` is None where the price stays."""

    index: int
    item: BulkItem
    outcome: BulkOutcome
    row: Row | None = None
    errors: tuple[BulkError, ...] = ()
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    old_price: Money | None = None


def wanted_slugs(items: Sequence[BulkItem], living: Mapping[str, Product]) -> set[str]:
    """The slugs that the items may take."""
    given = {one.values["slug"] for one in items if "slug" in one.values}
    return given | {
        slug_of(one.values["name"], one.sku)
        for one in items
        if one.sku not in living and one.values.get("name")
    }


def decide(items: Sequence[BulkItem], shop: Shop) -> list[Decision]:
    """One decision for each item, in their order."""
    taken = dict(shop.holders)
    seen: set[str] = set()
    decisions = []
    for index, item in enumerate(items):
        errors = list(item.errors)
        if not errors:
            errors = _errors(item, shop, taken)
            if item.sku in seen:
                errors.append(BulkError("sku", "duplicate", "Given twice in this request."))
        seen.add(item.sku)
        if errors:
            decisions.append(Decision(index, item, BulkOutcome.ERROR, errors=tuple(errors)))
            continue
        old = shop.living.get(item.sku)
        row = _made(item, shop, taken) if old is None else _changed(item, shop, old)
        taken[row.slug] = item.sku
        decisions.append(_decision(index, item, row, old))
    return decisions


def _errors(item: BulkItem, shop: Shop, taken: Mapping[str, str]) -> list[BulkError]:
    values = dict(item.values, sku=item.sku)
    if item.price is not None:
        values["price"] = item.price
    errors = []
    try:
        check(PRODUCT, values)
    except InvalidInput as error:
        errors = [BulkError(one.field, one.code, one.detail) for one in error.errors]
    if values.get("category") is not None and values["category"] not in shop.categories:
        errors.append(BulkError("category", "does_not_exist", "There is no such category."))
    if taken.get(values.get("slug", ""), item.sku) != item.sku:
        holder = taken[values["slug"]]
        errors.append(BulkError("slug", "taken", f"The product {holder} has this slug."))
    old = shop.living.get(item.sku)
    if old is None:
        errors += [
            BulkError(name, "required", "A new product needs it.")
            for name in ("name", "price")
            if name not in values
        ]
    current = old.version if old else 0
    if item.version is not None and item.version != current:
        text = f"It is at version {current}." if old else "There is no such product (any more)."
        errors.append(BulkError("version", "version_conflict", text))
    return errors


def _made(item: BulkItem, shop: Shop, taken: Mapping[str, str]) -> Row:
    values, public_id = item.values, new_id()
    slug = values.get("slug") or slug_of(values["name"], item.sku)
    if slug in taken:  # a made one: given ones have been looked at
        slug = f"{slug[:240]}-{public_id.hex[-12:]}"
    return Row(
        pk=None,
        public_id=public_id,
        sku=item.sku,
        slug=slug,
        name=values["name"],
        description=values.get("description", ""),
        attributes=values.get("attributes", {}),
        active=values.get("active", True),
        price=item.price,
        category_id=shop.categories.get(values.get("category")),
        version=1,
    )


def _changed(item: BulkItem, shop: Shop, old: Product) -> Row:
    values = item.values
    category_id = old.category_id
    if "category" in values:
        category_id = shop.categories.get(values["category"])
    row = Row(
        pk=old.pk,
        public_id=old.public_id,
        sku=item.sku,
        slug=values.get("slug", old.slug),
        **{name: values.get(name, getattr(old, name)) for name in PLAIN},
        price=old.price if item.price is None else item.price,
        category_id=category_id,
        version=old.version,
    )
    same = all(getattr(row, name) == getattr(old, name) for name in (*PLAIN, "slug", "price"))
    if same and category_id == old.category_id:
        return row
    return Row(**{**vars(row), "version": old.version + 1})


def _decision(index: int, item: BulkItem, row: Row, old: Product | None) -> Decision:
    after = {name: notes.plain(getattr(row, name)) for name in notes.PRODUCT_FIELDS}
    if "category" in item.values:
        after["category"] = item.values["category"]
    if old is None:
        return Decision(index, item, BulkOutcome.CREATED, row, after=after)
    if row.version == old.version:
        return Decision(index, item, BulkOutcome.UNCHANGED, row)
    before, after = notes.differing(notes.facts(old), after)
    old_price = old.price if row.price != old.price else None
    return Decision(
        index, item, BulkOutcome.UPDATED, row, before=before, after=after, old_price=old_price
    )
