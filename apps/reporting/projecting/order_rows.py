"""The SQL that writes orders, their lines and refunds. Each set is one statement."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

import orjson

from apps.common.databases import execute, fetch_all
from apps.reporting.enums import DATABASE
from apps.reporting.projecting.batch import LineRow, OrderRow, RefundRow, columns_of


class State(NamedTuple):
    """Whether ``order.placed`` is known, and whether the order counts as a sale."""

    placed: bool
    sold: bool


def states(order_ids: Collection[UUID]) -> dict[UUID, State]:
    """Of those that there is a row of."""
    rows = fetch_all(
        DATABASE,
        "SELECT order_id, placed_at IS NOT NULL, sold FROM reporting_orderview"
        " WHERE order_id = ANY(%s::uuid[])",
        [list(order_ids)],
        prepared=True,
    )
    return {order_id: State(placed, sold) for order_id, placed, sold in rows}


# A column is taken from whom its version says; the details of an order never change, so whoever
# has them may give them.
_PUT = """
    INSERT INTO reporting_orderview AS t
        (order_id, customer_id, currency, country, item_count, subtotal, shipping, total, placed_at,
         updated_at, order_version, status, status_version, refunded, refunded_version,
         payment_state, payment_version, fulfillment_status, shipment_version,
         customer_name, customer_email)
    SELECT new.*, coalesce(c.name, ''), coalesce(c.email, '')
    FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::numeric[],
                %s::numeric[], %s::numeric[], %s::timestamptz[], %s::timestamptz[], %s::bigint[],
                %s::text[], %s::bigint[], %s::numeric[], %s::bigint[], %s::text[], %s::bigint[],
                %s::text[], %s::bigint[])
        AS new (order_id, customer_id, currency, country, item_count, subtotal, shipping, total,
                placed_at, updated_at, order_version, status, status_version, refunded,
                refunded_version, payment_state, payment_version, fulfillment_status,
                shipment_version)
    LEFT JOIN reporting_customername c ON c.customer_id = new.customer_id
    ON CONFLICT (order_id) DO UPDATE SET
        customer_id = coalesce(t.customer_id, excluded.customer_id),
        customer_name = CASE WHEN t.placed_at IS NULL
            THEN excluded.customer_name ELSE t.customer_name END,
        customer_email = CASE WHEN t.placed_at IS NULL
            THEN excluded.customer_email ELSE t.customer_email END,
        currency = CASE WHEN t.placed_at IS NULL THEN excluded.currency ELSE t.currency END,
        country = CASE WHEN t.placed_at IS NULL THEN excluded.country ELSE t.country END,
        item_count = CASE WHEN t.placed_at IS NULL THEN excluded.item_count ELSE t.item_count END,
        subtotal = CASE WHEN t.placed_at IS NULL THEN excluded.subtotal ELSE t.subtotal END,
        shipping = CASE WHEN t.placed_at IS NULL THEN excluded.shipping ELSE t.shipping END,
        total = CASE WHEN t.placed_at IS NULL THEN excluded.total ELSE t.total END,
        placed_at = coalesce(t.placed_at, excluded.placed_at),
        updated_at = greatest(t.updated_at, excluded.updated_at),
        order_version = greatest(t.order_version, excluded.order_version),
        status = CASE WHEN t.status_version < excluded.status_version
            THEN excluded.status ELSE t.status END,
        status_version = greatest(t.status_version, excluded.status_version),
        refunded = CASE WHEN t.refunded_version < excluded.refunded_version
            THEN excluded.refunded ELSE t.refunded END,
        refunded_version = greatest(t.refunded_version, excluded.refunded_version),
        payment_state = CASE WHEN t.payment_version < excluded.payment_version
            THEN excluded.payment_state ELSE t.payment_state END,
        payment_version = greatest(t.payment_version, excluded.payment_version),
        fulfillment_status = CASE WHEN t.shipment_version < excluded.shipment_version
            THEN excluded.fulfillment_status ELSE t.fulfillment_status END,
        shipment_version = greatest(t.shipment_version, excluded.shipment_version)
    WHERE t.order_version < excluded.order_version
        OR t.status_version < excluded.status_version
        OR t.refunded_version < excluded.refunded_version
        OR t.payment_version < excluded.payment_version
        OR t.shipment_version < excluded.shipment_version
        OR t.updated_at < excluded.updated_at
        OR (t.placed_at IS NULL AND excluded.placed_at IS NOT NULL)
    RETURNING order_id, sold
"""


def put(rows: Collection[OrderRow]) -> frozenset[UUID]:
    """Writes what is new in ``rows``; which of the rows written count as sales since."""
    columns = [list(column) for column in zip(*map(columns_of, rows), strict=True)]
    written = fetch_all(DATABASE, _PUT, columns, prepared=True)
    return frozenset(order_id for order_id, sold in written if sold)


_PUT_LINES = """
    INSERT INTO reporting_orderviewline
        (order_id, position, product_id, sku, name, unit_price, quantity, category_id)
    SELECT new.*, p.category_id
    FROM unnest(%s::uuid[], %s::int[], %s::uuid[], %s::text[], %s::text[], %s::numeric[],
                %s::bigint[])
        AS new (order_id, position, product_id, sku, name, unit_price, quantity)
    LEFT JOIN reporting_productname p ON p.product_id = new.product_id
"""


def put_lines(lines: Sequence[LineRow]) -> None:
    """Writes the lines of orders that have none yet."""
    if lines:
        columns = [list(column) for column in zip(*lines, strict=True)]
        execute(DATABASE, _PUT_LINES, columns, prepared=True)


def put_refunds(rows: Collection[RefundRow]) -> None:
    """Writes each refund once, whoever tells of it again."""
    if rows:
        execute(
            DATABASE,
            """
            INSERT INTO reporting_orderviewrefund (return_id, order_id, amount, lines)
            SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::numeric[], %s::jsonb[])
            ON CONFLICT (return_id) DO NOTHING
            """,
            [
                [row.return_id for row in rows],
                [row.order_id for row in rows],
                [row.amount for row in rows],
                [orjson.dumps(row.lines).decode() for row in rows],
            ],
        )
