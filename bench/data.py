"""A large shop to measure with: ``python -m bench data --products 100000 --orders 100000``.

Inserts by set SQL into the configured databases, beside what is there, as the services would have
left it: every product with its stock item, its ledger row and its first price, so that the audit
finds nothing. Meant for a database of its own; a second run continues where the first one ended.
"""

import argparse
import os
import time
from collections.abc import Sequence
from typing import Any

COLOURS = ("Red", "Blue", "Green", "White", "Black", "Ivory", "Slate", "Amber", "Coral", "Sage")
MATERIALS = (
    "wood",
    "glass",
    "steel",
    "linen",
    "stone",
    "paper",
    "cotton",
    "beech",
    "brass",
    "wool",
)
THINGS = (
    *("Mug", "Bowl", "Plate", "Lamp", "Lantern", "Cushion", "Basket", "Frame", "Clock", "Candle"),
    *("Tray", "Vase", "Jug", "Throw", "Stool", "Shelf", "Hook", "Mirror", "Kettle", "Board"),
)
ROOTS, CHILDREN = 10, 9

CATEGORIES = """
    WITH roots AS (
        INSERT INTO catalog_category (public_id, name, slug, version, deleted_by_cascade)
        SELECT {new_id}, 'Shelf ' || n, 'shelf-' || n, 1, false FROM generate_series(1, %(roots)s) n
        ON CONFLICT DO NOTHING RETURNING id, slug
    )
    INSERT INTO catalog_category (public_id, name, slug, version, deleted_by_cascade, parent_id)
    SELECT {new_id}, 'Board ' || n, slug || '-' || n, 1, false, id
    FROM roots, generate_series(1, %(children)s) n
"""
# One in fifty is hidden, one in a hundred sold out, one in twenty sold in euro.
PRODUCTS = """
    WITH shelves AS (
        SELECT array_agg(id ORDER BY id) AS ids FROM catalog_category
        WHERE slug LIKE 'shelf-%%' AND deleted IS NULL
    ), made AS (
        INSERT INTO catalog_product
            (public_id, sku, slug, name, description, attributes, active, price, price_currency,
             category_id, version, deleted_by_cascade, created_at, updated_at)
        SELECT {new_id}, 'GEN-' || n, 'generated-' || n,
               (%(colours)s::text[])[1 + n %% 10] || ' ' ||
               (%(things)s::text[])[1 + n / 7 %% 20] || ' ' || n,
               'A ' || lower((%(things)s::text[])[1 + n / 7 %% 20]) || ' of ' ||
               (%(materials)s::text[])[1 + n / 3 %% 10] || ', numbered ' || md5(n::text) ||
               ' by the potter at the end of the lane, who made it slowly and by hand.',
               jsonb_build_object(
                   'material', (%(materials)s::text[])[1 + n / 3 %% 10],
                   'colour', lower((%(colours)s::text[])[1 + n %% 10]),
                   'size', jsonb_build_object('width', n %% 97, 'height', n %% 89),
                   'batch', 'B' || n / 40
               ),
               n %% 50 <> 0, (n * 37 %% 19900 + 100) / 100.0,
               CASE WHEN n %% 20 = 0 THEN 'EUR' ELSE 'GBP' END,
               shelves.ids[1 + n %% array_length(shelves.ids, 1)], 1, false,
               now() - make_interval(mins => n %% 500000), now()
        FROM shelves, generate_series(%(first)s, %(last)s) n
        RETURNING id, price, price_currency
    ), items AS (
        INSERT INTO catalog_stockitem (product_id, on_hand, reserved)
        SELECT id, CASE WHEN id %% 100 = 0 THEN 0 ELSE 1000 + id %% 500 END, 0 FROM made
        RETURNING product_id, on_hand
    ), books AS (
        INSERT INTO catalog_stockledgerentry
            (product_id, kind, delta_on_hand, delta_reserved, reference, reason, actor)
        SELECT product_id, 'received', on_hand, 0, 'bench', '', 'bench' FROM items
        WHERE on_hand > 0
    )
    INSERT INTO catalog_pricechange (product_id, after, after_currency, version, actor)
    SELECT id, price, price_currency, 1, 'bench' FROM made
"""
LAST = "SELECT coalesce(max(substr(sku, 5)::int), 0) FROM catalog_product WHERE sku LIKE 'GEN-%'"
CHUNK = 10_000
TABLES = (
    "catalog_product, catalog_stockitem, catalog_category, catalog_searchentry, catalog_searchword"
)


def add_parser(benchmarks: Any) -> None:
    """Adds ``data`` to the command line."""
    parser = benchmarks.add_parser("data", help="fill the configured databases with a large shop")
    parser.add_argument("--products", type=int, default=100_000, metavar="N")
    parser.add_argument("--orders", type=int, default=0, metavar="N")
    parser.add_argument("--yes", action="store_true", help="also where a shop has orders already")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Inserts and says what and how long."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from bench import data_orders

    if data_orders.has_own_trade() and not arguments.yes:
        print("This shop has orders of its own; use other databases, or say --yes.")
        return 1
    for what, insert, count in (
        ("products", insert_products, arguments.products),
        ("orders", data_orders.insert_orders, arguments.orders),
    ):
        begun = time.monotonic()
        made = insert(count)
        print(f"{made:,} {what} in {time.monotonic() - begun:.1f} s")
    return 0


def insert_products(count: int) -> int:
    """Adds ``count`` products with stock, prices and categories; returns how many."""
    from django.db import connections

    from apps.catalog.enums import DATABASE

    connection = connections[DATABASE]
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        new_id = "uuidv7()" if connection.pg_version >= 180_000 else "gen_random_uuid()"
        cursor.execute(CATEGORIES.format(new_id=new_id), {"roots": ROOTS, "children": CHILDREN})
        cursor.execute(LAST)
        [before] = cursor.fetchone()
        words: dict[str, Sequence[str]] = {
            "colours": list(COLOURS),
            "materials": list(MATERIALS),
            "things": list(THINGS),
        }
        for first in range(before + 1, before + count + 1, CHUNK):
            last = min(first + CHUNK - 1, before + count)
            values = {**words, "first": first, "last": last}
            cursor.execute(PRODUCTS.format(new_id=new_id), values)
        # What autovacuum would do in a while: statistics, and the tail of the search's index.
        if not connection.in_atomic_block:
            cursor.execute(f"VACUUM ANALYZE {TABLES}")
        cursor.execute("RESET statement_timeout")
    return count
