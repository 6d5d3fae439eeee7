"""The SQL that keeps the daily sales equal to what the rows of the orders say."""

from collections.abc import Collection
from uuid import UUID

from apps.common.databases import execute, fetch_all
from apps.reporting.enums import DATABASE


def sold_with(product_ids: Collection[UUID]) -> set[UUID]:
    """Orders that count as sales and have one of the products."""
    if not product_ids:
        return set()
    found = fetch_all(
        DATABASE,
        """
        SELECT DISTINCT l.order_id
        FROM reporting_orderviewline l JOIN reporting_orderview v USING (order_id)
        WHERE l.product_id = ANY(%s::uuid[]) AND v.sold
        """,
        [list(product_ids)],
    )
    return {order_id for (order_id,) in found}


# ``part`` has a row per order, dimension and key. Goods that came back count for their products,
# at what they were sold for; the rest of an order's money is under the key ''.
_ADD = """
    WITH sale AS MATERIALIZED (
        SELECT v.order_id, (v.placed_at AT TIME ZONE 'UTC')::date AS day, v.currency, v.country,
               v.item_count, v.shipping, v.total, v.refunded
        FROM reporting_orderview v WHERE v.order_id = ANY(%s::uuid[])
    ), line AS MATERIALIZED (
        SELECT s.order_id, s.day, s.currency, l.product_id, l.category_id, true AS sold,
               l.quantity, l.quantity * l.unit_price AS revenue, 0.00 AS refunds
        FROM sale s JOIN reporting_orderviewline l USING (order_id)
        UNION ALL
        SELECT s.order_id, s.day, s.currency, b.product_id, p.category_id, false,
               0, 0.00, b.value
        FROM sale s
        JOIN reporting_orderviewrefund r USING (order_id)
        CROSS JOIN jsonb_to_recordset(r.lines) AS b (product_id uuid, value numeric)
        LEFT JOIN reporting_productname p ON p.product_id = b.product_id
    ), rest AS (
        SELECT s.day, s.currency, sum(s.shipping) AS revenue,
               sum(s.refunded - coalesce(goods.value, 0)) AS refunds
        FROM sale s
        LEFT JOIN (
            SELECT order_id, sum(refunds) AS value FROM line WHERE NOT sold GROUP BY order_id
        ) goods USING (order_id)
        GROUP BY 1, 2
    ), cell (day, currency, dimension, key, orders, pieces, revenue, refunds) AS (
        SELECT day, currency, 'product', product_id::text,
               count(DISTINCT order_id) FILTER (WHERE sold), sum(quantity), sum(revenue),
               sum(refunds)
        FROM line GROUP BY day, currency, product_id
        UNION ALL
        SELECT day, currency, 'category', coalesce(category_id::text, '-'),
               count(DISTINCT order_id) FILTER (WHERE sold), sum(quantity), sum(revenue),
               sum(refunds)
        FROM line GROUP BY day, currency, category_id
        UNION ALL
        SELECT day, currency, 'country', country, count(*), sum(item_count), sum(total),
               sum(refunded)
        FROM sale GROUP BY day, currency, country
        UNION ALL
        SELECT day, currency, dimension, '', 0, 0, revenue, refunds
        FROM rest CROSS JOIN (VALUES ('product'), ('category')) AS d (dimension)
        WHERE revenue <> 0 OR refunds <> 0
    )
    INSERT INTO reporting_dailysales AS t
        (day, currency, dimension, key, orders, pieces, revenue, refunds)
    SELECT day, currency, dimension, key, %s * orders, %s * pieces, %s * revenue, %s * refunds
    FROM cell
    ON CONFLICT (dimension, day, currency, key) DO UPDATE
        SET orders = t.orders + excluded.orders, pieces = t.pieces + excluded.pieces,
            revenue = t.revenue + excluded.revenue, refunds = t.refunds + excluded.refunds
"""


def add(order_ids: Collection[UUID], sign: int) -> None:
    """Adds (``sign`` 1) or takes away (-1) what these orders, as their rows are now, sold."""
    if order_ids:
        execute(DATABASE, _ADD, [list(order_ids), *[sign] * 4])


def drop_empty() -> None:
    """Removes cells of which nothing is left: they would not be there in another order of
    arrival."""
    execute(
        DATABASE,
        "DELETE FROM reporting_dailysales"
        " WHERE orders = 0 AND pieces = 0 AND revenue = 0 AND refunds = 0",
        prepared=True,
    )
