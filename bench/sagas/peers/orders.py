"""Orders accepted for the peers, by set SQL: rows as ``apps.orders`` leaves them, without a run."""

from collections.abc import Sequence

import psycopg

ACCEPT = """
    WITH made AS (
        INSERT INTO orders_order (id, customer_id, status, payment_status, fulfillment_status,
            version, currency, goods_total, shipping_total, total, address, saga_id, placed_at)
        SELECT uuidv7(), uuidv7(), 'pending', 'not_paid', 'not_fulfilled', 1, 'GBP', 20, 4.95,
            24.95, %(address)s::jsonb, uuidv7(), clock_timestamp()
        FROM generate_series(1, %(count)s) RETURNING id
    ), numbered AS (
        SELECT id, (%(products)s::bigint[])[1 + row_number() OVER () %% %(spread)s] AS product
        FROM made
    ), lines AS (
        INSERT INTO orders_orderline (order_id, position, product_id, sku, name, unit_price,
            quantity)
        SELECT id, 1, uuidv7(), 'BENCH-' || product, 'Bench ' || product, 20, 1 FROM numbered
    ), payments AS (
        INSERT INTO payments_payment (id, order_id, amount, currency, card_token, method)
        SELECT uuidv7(), id, 24.95, 'GBP', '', 'account' FROM made
    )
    SELECT id::text, product FROM numbered
"""
ADDRESS = (
    '{"name": "Bench", "line1": "1 High Street", "line2": "", "city": "York",'
    ' "postal_code": "YO1 7HH", "region": "", "country": "GB", "phone": ""}'
)


def accept(conninfo: str, count: int, products: Sequence[int]) -> list[tuple[str, int]]:
    """Accepts ``count`` orders of one piece each; (order id, product key) of each."""
    values = {"count": count, "products": list(products), "spread": len(products)}
    with psycopg.connect(conninfo, autocommit=True) as connection:
        rows = connection.execute(ACCEPT, values | {"address": ADDRESS}).fetchall()
        connection.execute("ANALYZE orders_order, orders_orderline, payments_payment")
    return rows
