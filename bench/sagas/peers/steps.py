"""The five steps of the checkout as the peers take them, by hand-written SQL on psycopg.

Each is one statement in one round trip and its own commit, which is the least a step can cost, and
leaves the rows that Holdfast's step leaves: ledger entry and order; stock item, reservation and
stock ledger; shipment and order; ledger entry and order; order and outbox. Of the outbox they
write the order's own event alone: what Holdfast tells of money, stock and shipment costs them
nothing. A repeat changes nothing that has happened already; there is no inbox, no lock order and no
compensation to pay for.
"""

import os
from functools import cache

from psycopg import Connection
from psycopg_pool import ConnectionPool

ORDERS, CATALOG = "BENCH_ORDERS", "BENCH_CATALOG"  # environment: conninfo of the peers' databases

_MONEY = """
    WITH entry AS (
        INSERT INTO payments_paymententry (payment_id, operation, state, amount, currency,
            idempotency_key, gateway_reference, code, detail)
        SELECT id, '{operation}', 'succeeded', amount, currency, id || ':{key}', '', '', ''
        FROM payments_payment WHERE order_id = %(order)s
        ON CONFLICT DO NOTHING
    )
    UPDATE orders_order SET payment_status = '{after}', version = version + 1,
        updated_at = clock_timestamp()
    WHERE id = %(order)s AND payment_status <> '{after}'
"""
AUTHORIZE = _MONEY.format(operation="authorization", key="authorize", after="authorized")
CAPTURE = _MONEY.format(operation="capture", key="capture", after="captured")
RESERVE = """
    WITH taken AS (
        UPDATE catalog_stockitem SET reserved = reserved + 1
        WHERE product_id = %(product)s AND on_hand - reserved >= 1
        RETURNING product_id
    ), made AS (
        INSERT INTO catalog_reservation (order_id, product_id, quantity)
        SELECT %(order)s, product_id, 1 FROM taken
    )
    INSERT INTO catalog_stockledgerentry
        (product_id, kind, delta_on_hand, delta_reserved, order_id, reference, reason, actor)
    SELECT product_id, 'reserved', 0, 1, %(order)s, %(order)s, '', 'saga' FROM taken
"""
SCHEDULE = """
    WITH shipment AS (
        INSERT INTO shipping_shipment (id, order_id, status, tracking_number, address)
        SELECT uuidv7(), id, 'scheduled', 'HF' || upper(right(replace(id::text, '-', ''), 24)),
            address
        FROM orders_order WHERE id = %(order)s
        ON CONFLICT (order_id) DO NOTHING
    )
    UPDATE orders_order SET fulfillment_status = 'scheduled', version = version + 1,
        updated_at = clock_timestamp()
    WHERE id = %(order)s AND fulfillment_status <> 'scheduled'
"""
CONFIRM = """
    WITH moved AS (
        UPDATE orders_order SET status = 'confirmed', version = version + 1,
            updated_at = clock_timestamp()
        WHERE id = %(order)s AND status = 'pending'
        RETURNING id, version, customer_id, total, currency, placed_at
    )
    INSERT INTO messaging_outbox
        (event_id, topic, aggregate, aggregate_version, schema_version, payload, headers)
    SELECT uuidv7(), 'order.confirmed', 'order:' || id, version, 1,
        jsonb_build_object('order_id', id, 'customer_id', customer_id, 'placed_at', placed_at,
            'total', jsonb_build_object('amount', total::text, 'currency', currency)), '{}'
    FROM moved
"""


@cache
def pool(variable: str) -> ConnectionPool:
    """The process's connections to a database; as many as it has threads, opened beforehand."""
    size = int(os.environ.get("BENCH_POOL", "1"))
    made = ConnectionPool(
        os.environ[variable], min_size=size, max_size=size, kwargs={"autocommit": True}, open=True
    )
    made.wait()
    return made


def _one_row(variable: str, statement: str, **values: object) -> None:
    connection: Connection
    with pool(variable).connection() as connection:
        if connection.execute(statement, values, prepare=True).rowcount != 1:
            raise RuntimeError(f"a step of {values} changed nothing")


def authorize(order: str) -> None:
    _one_row(ORDERS, AUTHORIZE, order=order)


def reserve(order: str, product: int) -> None:
    _one_row(CATALOG, RESERVE, order=order, product=product)


def schedule(order: str) -> None:
    _one_row(ORDERS, SCHEDULE, order=order)


def capture(order: str) -> None:
    _one_row(ORDERS, CAPTURE, order=order)


def confirm(order: str) -> None:
    _one_row(ORDERS, CONFIRM, order=order)
