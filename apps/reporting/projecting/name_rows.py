"""The SQL that writes what customers, products and categories are called."""

from collections.abc import Collection
from uuid import UUID

from apps.common.databases import execute, fetch_all
from apps.reporting.enums import DATABASE
from apps.reporting.projecting.batch import CategoryRow, CustomerRow, ProductRow


def put_customers(rows: Collection[CustomerRow]) -> None:
    """Writes newer names and addresses, to the customers' orders too."""
    if not rows:
        return
    written = fetch_all(
        DATABASE,
        """
        INSERT INTO reporting_customername AS t (customer_id, name, email, version)
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[])
        ON CONFLICT (customer_id) DO UPDATE
            SET name = excluded.name, email = excluded.email, version = excluded.version
            WHERE t.version < excluded.version
        RETURNING customer_id
        """,
        _columns(rows),
    )
    execute(
        DATABASE,
        """
        UPDATE reporting_orderview v SET customer_name = c.name, customer_email = c.email
        FROM reporting_customername c
        WHERE c.customer_id = ANY(%s::uuid[]) AND v.customer_id = c.customer_id
            AND (v.customer_name, v.customer_email) IS DISTINCT FROM (c.name, c.email)
        """,
        [[customer_id for (customer_id,) in written]],
    )


def moving(rows: Collection[ProductRow]) -> list[UUID]:
    """Products that ``rows`` put into another category than they are known to stand in."""
    if not rows:
        return []
    found = fetch_all(
        DATABASE,
        """
        SELECT new.product_id
        FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[]) AS new (product_id, category_id, version)
        LEFT JOIN reporting_productname t ON t.product_id = new.product_id
        WHERE coalesce(t.version, 0) < new.version
            AND t.category_id IS DISTINCT FROM new.category_id
        """,
        [
            [row.product_id for row in rows],
            [row.category_id for row in rows],
            [row.version for row in rows],
        ],
    )
    return [product_id for (product_id,) in found]


def put_products(rows: Collection[ProductRow], *, moved: Collection[UUID]) -> None:
    """Writes newer names and categories, the latter to the lines of ``moved`` products too."""
    if not rows:
        return
    execute(
        DATABASE,
        """
        INSERT INTO reporting_productname AS t (product_id, name, sku, category_id, version)
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::bigint[])
        ON CONFLICT (product_id) DO UPDATE
            SET name = excluded.name, sku = excluded.sku, category_id = excluded.category_id,
                version = excluded.version
            WHERE t.version < excluded.version
        """,
        _columns(rows),
    )
    if moved:
        execute(
            DATABASE,
            """
            UPDATE reporting_orderviewline l SET category_id = p.category_id
            FROM reporting_productname p
            WHERE p.product_id = ANY(%s::uuid[]) AND l.product_id = p.product_id
            """,
            [list(moved)],
        )


def put_categories(rows: Collection[CategoryRow]) -> None:
    """Writes newer names."""
    if rows:
        execute(
            DATABASE,
            """
            INSERT INTO reporting_categoryname AS t (category_id, name, version)
            SELECT * FROM unnest(%s::uuid[], %s::text[], %s::bigint[])
            ON CONFLICT (category_id) DO UPDATE
                SET name = excluded.name, version = excluded.version
                WHERE t.version < excluded.version
            """,
            _columns(rows),
        )


def _columns(rows: Collection[tuple]) -> list[list]:
    return [list(column) for column in zip(*rows, strict=True)]
