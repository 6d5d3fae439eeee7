"""Products in bulk: a few statements, however many come."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import orjson
from django.db import transaction
from django.utils.text import slugify

from apps.catalog import events, prices, stock
from apps.catalog.caching.writing import writing
from apps.catalog.checks import PRODUCT, check
from apps.catalog.contracts import ImportProduct
from apps.catalog.enums import DATABASE
from apps.catalog.naming import slug_of
from apps.common.databases import execute, fetch_all
from apps.common.errors import Conflict
from apps.common.ids import new_id

IMPORTED = ("sku", "name", "price", "description", "attributes")


def products_import(*, products: Sequence[ImportProduct]) -> dict[str, UUID]:
    """Makes the products that do not live yet, each with a stock item at zero: sku → public id.

    A living product of the same sku is kept as it is. Raises ``InvalidInput`` for a value that
    does not fit; then nothing is imported.
    """
    wanted: dict[str, ImportProduct] = {}
    for position, one in enumerate(products):
        values = {name: getattr(one, name) for name in IMPORTED}
        check(PRODUCT, values, prefix=f"products[{position}].")
        wanted.setdefault(one.sku, one)
    with writing() as cached, transaction.atomic(using=DATABASE):
        living = _living(wanted)
        missing = [wanted[sku] for sku in sorted(wanted.keys() - living.keys())]
        made: set[UUID] = set()
        if missing:
            categories = _categories({one.category for one in missing if one.category})
            made |= _insert(missing, categories, unique_slugs=False)
            living = _living(wanted)
            if clashing := [one for one in missing if one.sku not in living]:
                # Their slug is taken by a product of another sku.
                made |= _insert(clashing, categories, unique_slugs=True)
                living = _living(wanted)
        if lost := wanted.keys() - living.keys():
            raise Conflict(f"{min(lost)} was deleted while it was imported.")
        stock.open_items([pk for pk, _ in living.values()])
        # Another import may have been faster.
        new = [(living[one.sku][0], one) for one in missing if living[one.sku][1] in made]
        moves = [prices.PriceMove(pk, None, one.price, 1) for pk, one in new]
        prices.record(moves, otherwise="import")
        events.products_created([pk for pk, _ in new])
        if missing:
            cached.category()  # categories may have been made for them
            cached.made(made)
    return {sku: public_id for sku, (_, public_id) in living.items()}


def _living(skus: Iterable[str]) -> dict[str, tuple[int, UUID]]:
    rows = fetch_all(
        DATABASE,
        "SELECT sku, id, public_id FROM catalog_product"
        " WHERE sku = ANY(%s::text[]) AND deleted IS NULL",
        [list(skus)],
    )
    return {sku: (pk, public_id) for sku, pk, public_id in rows}


def _insert(
    products: Sequence[ImportProduct], categories: dict[str, int], *, unique_slugs: bool
) -> set[UUID]:
    """Inserts what clashes with nothing; the public ids that the inserted ones have."""
    ids = [new_id() for _ in products]
    slugs = [slug_of(one.name, one.sku) for one in products]
    if unique_slugs:
        slugs = [f"{slug}-{ids[i].hex[-12:]}" for i, slug in enumerate(slugs)]
    execute(
        DATABASE,
        """
        INSERT INTO catalog_product
            (public_id, sku, slug, name, description, attributes, price, price_currency,
             category_id, active, version, deleted_by_cascade)
        SELECT *, true, 1, false
        FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[],
                    %s::numeric[], %s::text[], %s::bigint[])
        ON CONFLICT DO NOTHING
        """,
        [
            ids,
            [one.sku for one in products],
            slugs,
            [one.name for one in products],
            [one.description for one in products],
            [orjson.dumps(one.attributes).decode() for one in products],
            [one.price.amount for one in products],
            [one.price.currency.code for one in products],
            [categories.get(one.category) for one in products],
        ],
    )
    return set(ids)


def _categories(names: set[str]) -> dict[str, int]:
    """The living categories of these names, made as topmost ones where missing: name → pk."""
    if not names:
        return {}
    slugs = {name: slugify(name)[:120] or "category" for name in sorted(names)}
    made = fetch_all(
        DATABASE,
        """
        INSERT INTO catalog_category (public_id, name, slug, version, deleted_by_cascade)
        SELECT public_id, name, slug, 1, false
        FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS new(public_id, name, slug)
        ON CONFLICT (slug) WHERE deleted IS NULL DO NOTHING
        RETURNING id
        """,
        [[new_id() for _ in slugs], [name[:100] for name in slugs], list(slugs.values())],
    )
    events.categories_created([pk for [pk] in made])
    rows = fetch_all(
        DATABASE,
        "SELECT slug, id FROM catalog_category WHERE slug = ANY(%s::text[]) AND deleted IS NULL"
        " ORDER BY id FOR SHARE",
        [list(slugs.values())],
    )
    by_slug = dict(rows)
    if lost := set(slugs.values()) - by_slug.keys():
        raise Conflict(f"The category {min(lost)} was deleted while products were put into it.")
    return {name: by_slug[slug] for name, slug in slugs.items()}
