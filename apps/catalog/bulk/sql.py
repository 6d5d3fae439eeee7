"""The statements of the bulk upsert: one for all products of a kind of work."""

from collections.abc import Collection, Sequence
from uuid import UUID

import orjson

from apps.catalog.bulk.deciding import Row
from apps.catalog.enums import DATABASE
from apps.common.databases import execute, fetch_all


def lock_categories(slugs: Collection[str]) -> dict[str, int]:
    """The living categories of these slugs, which stay until the transaction ends: slug → pk."""
    rows = fetch_all(
        DATABASE,
        "SELECT slug, id FROM catalog_category WHERE slug = ANY(%s::text[]) AND deleted IS NULL"
        " ORDER BY id FOR SHARE",
        [list(slugs)],
    )
    return dict(rows)


def slug_holders(slugs: Collection[str]) -> dict[str, str]:
    """Who has these slugs among the living: slug → sku."""
    rows = fetch_all(
        DATABASE,
        "SELECT slug, sku FROM catalog_product WHERE slug = ANY(%s::text[]) AND deleted IS NULL",
        [list(slugs)],
    )
    return dict(rows)


def insert_products(rows: Sequence[Row]) -> dict[UUID, int]:
    """Inserts those whose names nobody has: public id → pk."""
    rows = sorted(rows, key=lambda row: row.sku)  # so that two of these never wait in a circle
    made = fetch_all(
        DATABASE,
        """
        INSERT INTO catalog_product
            (public_id, sku, slug, name, description, attributes, active, price, price_currency,
             category_id, version, deleted_by_cascade)
        SELECT *, 1, false
        FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[],
                    %s::boolean[], %s::numeric[], %s::text[], %s::bigint[])
        ON CONFLICT DO NOTHING
        RETURNING public_id, id
        """,
        [[row.public_id for row in rows], [row.sku for row in rows], *_columns(rows)],
    )
    return dict(made)


def update_products(rows: Sequence[Row]) -> int:
    """Updates (locked) living products from the version before; returns how many."""
    return execute(
        DATABASE,
        """
        UPDATE catalog_product p
        SET slug = new.slug, name = new.name, description = new.description,
            attributes = new.attributes, active = new.active, price = new.price,
            price_currency = new.currency, category_id = new.category_id,
            version = new.version, updated_at = statement_timestamp()
        FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[], %s::jsonb[],
                    %s::boolean[], %s::numeric[], %s::text[], %s::bigint[])
             AS new(id, version, slug, name, description, attributes, active, price, currency,
                    category_id)
        WHERE p.id = new.id AND p.version = new.version - 1 AND p.deleted IS NULL
        """,
        [[row.pk for row in rows], [row.version for row in rows], *_columns(rows)],
    )


def _columns(rows: Sequence[Row]) -> list[list]:
    return [
        [row.slug for row in rows],
        [row.name for row in rows],
        [row.description for row in rows],
        [orjson.dumps(row.attributes).decode() for row in rows],
        [row.active for row in rows],
        [row.price.amount for row in rows],
        [row.price.currency.code for row in rows],
        [row.category_id for row in rows],
    ]
