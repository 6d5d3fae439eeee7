"""A shop of real names: the year's products, and crossings of their names up to any number."""

import random
from collections.abc import Sequence
from pathlib import Path

from bench.data import TABLES
from bench.search.questions import SEED, more_names

SHELVES = ("Kitchen", "Garden", "Party", "Christmas", "Lighting", "Bags", "Stationery", "Toys")
CHUNK = 10_000
CATEGORIES = """
    INSERT INTO catalog_category (public_id, name, slug, version, deleted_by_cascade)
    SELECT gen_random_uuid(), name, 'search-' || lower(name), 1, false
    FROM unnest(%s::text[]) AS name ON CONFLICT DO NOTHING
"""
# One in fifty is hidden.
PRODUCTS = """
    WITH shelves AS (
        SELECT array_agg(id ORDER BY id) AS ids FROM catalog_category WHERE slug LIKE 'search-%%'
    ), made AS (
        INSERT INTO catalog_product
            (public_id, sku, slug, name, description, attributes, active, price, price_currency,
             category_id, version, deleted_by_cascade, created_at, updated_at)
        SELECT gen_random_uuid(), sku, 'search-' || lower(sku), name, '', '{{}}', place %% 50 <> 0,
               price, 'GBP', shelves.ids[1 + place %% array_length(shelves.ids, 1)], 1, false,
               now(), now()
        FROM shelves, unnest(%s::text[], %s::text[], %s::numeric[])
             WITH ORDINALITY AS one (sku, name, price, place)
        RETURNING id, price, price_currency
    ), items AS (
        INSERT INTO catalog_stockitem (product_id, on_hand, reserved) SELECT id, 0, 0 FROM made
    )
    INSERT INTO catalog_pricechange (product_id, after, after_currency, version, actor)
    SELECT id, price, price_currency, 1, 'bench' FROM made
""".replace("{{}}", "{}")


def real_products(path: Path) -> dict[str, str]:
    """SKU → name of what the sales file has sold."""
    from apps.orders.replay.survey import survey_file

    return {sku: one.name for sku, one in survey_file(path).products.items() if one.name}


def insert_products(names: Sequence[str], skus: Sequence[str]) -> None:
    """Products with stock items of nothing and first prices, by set SQL."""
    from apps.catalog.enums import DATABASE
    from apps.common.databases import execute

    chance = random.Random(SEED + 2)
    execute(DATABASE, CATEGORIES, [list(SHELVES)])
    for first in range(0, len(names), CHUNK):
        part = slice(first, first + CHUNK)
        prices = [f"{chance.lognormvariate(1, 1):.2f}" for _ in names[part]]
        execute(DATABASE, PRODUCTS, [list(skus[part]), list(names[part]), prices])


def some_names(count: int) -> list[str]:
    """Names made of those that the shop has."""
    from apps.catalog.models import Product

    return more_names(list(Product.objects.order_by("pk").values_list("name", flat=True)), count)


def settle() -> None:
    """What autovacuum and the hourly count would do in a while."""
    from apps.catalog import searching
    from apps.catalog.enums import DATABASE
    from apps.common.databases import execute

    execute(DATABASE, "SET statement_timeout = 0")
    searching.words_count()
    execute(DATABASE, f"VACUUM ANALYZE {TABLES}")


def sizes() -> dict[str, float]:
    """Megabytes of the search's tables with their indexes, and of the products with theirs."""
    from apps.catalog.enums import DATABASE
    from apps.common.databases import fetch_all

    tables = ["catalog_searchentry", "catalog_searchword", "catalog_product"]
    rows = fetch_all(
        DATABASE,
        "SELECT name, pg_relation_size(name::regclass), pg_indexes_size(name::regclass)"
        " FROM unnest(%s::text[]) AS name",
        [tables],
    )
    found = {}
    for name, table, indexes in rows:
        found[name] = round(table / 1e6, 1)
        found[f"{name} indexes"] = round(indexes / 1e6, 1)
    return found
