"""Reads of payments and their ledger."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from uuid import UUID

from django.db import connections
from moneyed import Money

from apps.common.databases import fetch_all
from apps.payments.contracts import LedgerEntry, NetAmount
from apps.payments.enums import DATABASE
from apps.payments.position import Position, Progress

UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# One row per payment: the furthest state of each operation, and the sums.
POSITIONS = """
    SELECT p.id, p.order_id, p.amount, p.currency, p.card_token,
           coalesce(max(s.rank) FILTER (WHERE e.operation = 'authorization'), 0),
           coalesce(max(s.rank) FILTER (WHERE e.operation = 'capture'), 0),
           coalesce(max(s.rank) FILTER (WHERE e.operation = 'void'), 0),
           coalesce(max(s.rank) FILTER (WHERE e.operation = 'refund'), 0),
           coalesce(max(e.code) FILTER (WHERE e.operation = 'authorization' AND s.rank = 3), ''),
           coalesce(max(e.code) FILTER (WHERE e.operation = 'capture' AND s.rank = 3), ''),
           coalesce(max(e.code) FILTER (WHERE e.operation IN ('void', 'refund') AND s.rank = 3
                                              AND e.code <> 'not_needed'), ''),
           coalesce(sum(e.amount) FILTER (WHERE e.operation = 'capture' AND s.rank = 4), 0),
           coalesce(sum(e.amount) FILTER (WHERE e.operation = 'refund' AND s.rank = 4), 0)
    FROM payments_payment p
    LEFT JOIN payments_paymententry e ON e.payment_id = p.id
    LEFT JOIN (VALUES ('requested', 1), ('unknown', 2), ('failed', 3), ('succeeded', 4))
         AS s(state, rank) ON s.state = e.state
"""


def _position(row: tuple) -> Position:
    reference, order_id, amount, currency, card_token, *rest = row
    return Position(
        reference,
        order_id,
        Money(amount, currency),
        card_token,
        *(Progress(one) for one in rest[:4]),
        *rest[4:7],
        Money(Decimal(rest[7]), currency),
        Money(Decimal(rest[8]), currency),
    )


def positions(order_ids: Sequence[UUID]) -> dict[UUID, Position]:
    """Where the payments of ``order_ids`` stand, by order; an order without one is missing."""
    rows = fetch_all(
        DATABASE, f"{POSITIONS} WHERE p.order_id = ANY(%s) GROUP BY p.id", [list(order_ids)]
    )
    return {row[1]: _position(row) for row in rows}


def all_positions(chunk: int = 2000) -> Iterator[Position]:
    """Every payment's position, read with one statement."""
    with connections[DATABASE].cursor() as cursor:
        cursor.execute(f"{POSITIONS} GROUP BY p.id ORDER BY p.id")
        while rows := cursor.fetchmany(chunk):
            yield from map(_position, rows)


def net_amounts(order_ids: Sequence[UUID]) -> dict[UUID, NetAmount]:
    """What was taken and given back for each of ``order_ids``."""
    return {one: _net(position) for one, position in positions(order_ids).items()}


def all_net_amounts() -> Iterator[NetAmount]:
    """What was taken and given back for each order."""
    return map(_net, all_positions())


def _net(one: Position) -> NetAmount:
    return NetAmount(one.order_id, one.amount, one.captured, one.refunded, one.state, one.is_open)


def orders_of(references: Sequence[str]) -> dict[str, UUID]:
    """The order of each payment of ours among the gateway's ``references``."""
    ours = [UUID(one) for one in references if UUID_TEXT.fullmatch(one)]
    rows = fetch_all(
        DATABASE, "SELECT id::text, order_id FROM payments_payment WHERE id = ANY(%s)", [ours]
    )
    return dict(rows)


def ledger(order_id: UUID) -> tuple[LedgerEntry, ...]:
    """The order's ledger entries, oldest first."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT p.order_id, p.id, e.operation, e.state, e.amount, e.currency,
               e.idempotency_key, e.gateway_reference, e.code, e.detail, e.created_at
        FROM payments_paymententry e JOIN payments_payment p ON p.id = e.payment_id
        WHERE p.order_id = %s ORDER BY e.id
        """,
        [order_id],
    )
    return tuple(LedgerEntry(*row[:4], Money(row[4], row[5]), *row[6:]) for row in rows)
