"""Reads of payments and their ledger."""

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from uuid import UUID

from moneyed import Money

from apps.common.databases import fetch_all
from apps.payments.contracts import LedgerEntry, NetAmount, Refund
from apps.payments.enums import DATABASE, NOT_NEEDED
from apps.payments.position import Part, Position, Progress

UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A row for each entry of a payment, one without entry for a payment without any.
POSITIONS = """
    SELECT p.id, p.order_id, p.amount, p.currency, p.card_token, p.method,
           e.operation, e.state, e.code, e.amount, e.refund_id,
           extract(epoch FROM clock_timestamp() - e.created_at)::float8
    FROM payments_payment p LEFT JOIN payments_paymententry e ON e.payment_id = p.id
"""
PAGE_OF_POSITIONS = f"""{POSITIONS} WHERE p.id IN (
    SELECT id FROM payments_payment WHERE id > %s ORDER BY id LIMIT %s
) ORDER BY p.id"""
PROGRESS = {
    "requested": Progress.REQUESTED,
    "unknown": Progress.UNKNOWN,
    "failed": Progress.FAILED,
    "succeeded": Progress.SUCCEEDED,
}
CODE_OF = {
    "authorization": "authorization_code",
    "capture": "capture_code",
    "void": "reversal_code",
    "refund": "reversal_code",
}
PAGE = 2_000


def _positions(rows: Iterable[tuple]) -> dict[UUID, Position]:
    """The rows' payments, by payment."""
    found: dict[UUID, Position] = {}
    for row in rows:
        position = found.get(row[0])
        if position is None:
            position = found[row[0]] = Position(*row[:6])
        if row[6] is not None:
            _add(position, *row[6:])
    return found


def _add(
    position: Position,
    operation: str,
    state: str,
    code: str,
    amount: Decimal,
    refund_id: UUID | None,
    age: float,
) -> None:
    """One entry of the ledger; of each operation the furthest counts."""
    reached = PROGRESS[state]
    if operation == "refund":
        if reached is Progress.SUCCEEDED:
            position.refunded += amount
        if refund_id is not None:
            _add_part(position, Part(refund_id, amount, reached, code, age=age))
            return
        position.refund_amount = amount
    elif operation == "capture" and reached is Progress.SUCCEEDED:
        position.captured += amount
    if reached > getattr(position, operation):
        setattr(position, operation, reached)
    if reached is Progress.FAILED and code != NOT_NEEDED:
        setattr(position, CODE_OF[operation], code)


def _add_part(position: Position, entry: Part) -> None:
    part = position.part(entry.refund_id)
    if part is None:
        position.add_part(entry)
        return
    part.age = max(part.age, entry.age)
    if entry.progress > part.progress:
        part.progress, part.code = entry.progress, entry.code


def positions(order_ids: Sequence[UUID]) -> dict[UUID, Position]:
    """Where the payments of ``order_ids`` stand, by order; an order without one is missing."""
    rows = fetch_all(DATABASE, f"{POSITIONS} WHERE p.order_id = ANY(%s)", [list(order_ids)])
    return {one.order_id: one for one in _positions(rows).values()}


def positions_of(references: Sequence[str]) -> dict[str, Position]:
    """Where those payments stand that are ours among the gateway's ``references``."""
    ours = [UUID(one) for one in references if UUID_TEXT.fullmatch(one)]
    rows = fetch_all(DATABASE, f"{POSITIONS} WHERE p.id = ANY(%s::uuid[])", [ours])
    return {str(payment_id): one for payment_id, one in _positions(rows).items()}


def page_of_positions(after: UUID, size: int) -> dict[UUID, Position]:
    """The next ``size`` payments after ``after``, in the order of their ids."""
    return _positions(fetch_all(DATABASE, PAGE_OF_POSITIONS, [after, size]))


def quiet(payment_ids: Sequence[UUID], *, seconds: float) -> set[UUID]:
    """Those of ``payment_ids`` of which the ledger has had no entry for ``seconds``."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT p.id FROM payments_payment p
        WHERE p.id = ANY(%s::uuid[])
          AND p.created_at <= clock_timestamp() - make_interval(secs => %s)
          AND NOT EXISTS (
              SELECT FROM payments_paymententry e WHERE e.payment_id = p.id
              AND e.created_at > clock_timestamp() - make_interval(secs => %s))
        """,
        [list(payment_ids), seconds, seconds],
    )
    return {payment_id for (payment_id,) in rows}


def all_positions() -> Iterator[Position]:
    """Every payment's position, oldest first, a page at a time."""
    last = UUID(int=0)
    while page := page_of_positions(last, PAGE):
        yield from page.values()
        last = max(page)


def entries_without_payment() -> list[int]:
    """Ledger entries whose payment does not exist."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT id FROM payments_paymententry e
        WHERE NOT EXISTS (SELECT FROM payments_payment p WHERE p.id = e.payment_id) LIMIT 100
        """,
    )
    return [entry_id for (entry_id,) in rows]


def net_amounts(order_ids: Sequence[UUID]) -> dict[UUID, NetAmount]:
    """What was taken and given back for each of ``order_ids``."""
    return {one: _net(position) for one, position in positions(order_ids).items()}


def all_net_amounts() -> Iterator[NetAmount]:
    """What was taken and given back for each order."""
    return map(_net, all_positions())


def _net(one: Position) -> NetAmount:
    return NetAmount(
        one.order_id,
        *map(one.money, (one.amount, one.captured, one.refunded)),
        one.state,
        one.is_open,
        one.method,
    )


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


def refunds(order_ids: Sequence[UUID]) -> dict[UUID, tuple[Refund, ...]]:
    """The refunds of parts of each order's money, oldest first, each with its last entry."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT DISTINCT ON (begun, e.refund_id)
               p.order_id, e.refund_id, e.amount, e.currency, e.state, e.code, e.detail,
               e.created_at, min(e.id) OVER (PARTITION BY e.refund_id) AS begun
        FROM payments_payment p JOIN payments_paymententry e ON e.payment_id = p.id
        WHERE p.order_id = ANY(%s) AND e.refund_id IS NOT NULL
        ORDER BY begun, e.refund_id, e.id DESC
        """,
        [list(order_ids)],
    )
    found: dict[UUID, tuple[Refund, ...]] = {}
    for order_id, refund_id, amount, currency, *rest in rows:
        one = Refund(order_id, refund_id, Money(amount, currency), *rest[:4])
        found[order_id] = (*found.get(order_id, ()), one)
    return found
