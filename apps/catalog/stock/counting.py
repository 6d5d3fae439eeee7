"""Counts of many products at once, as another system sends them; each line is decided by itself."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction

from apps.catalog.caching.writing import writing
from apps.catalog.contracts import CountLine, CountReport, CountStock, RefusedCount
from apps.catalog.enums import DATABASE, LedgerKind
from apps.catalog.stock import events, sql
from apps.catalog.stock.moving import MAX_PIECES
from apps.catalog.stock.rows import LockedItem
from apps.common.failpoints import failpoint
from apps.messaging import idempotency
from apps.messaging.staff_log import staff_changes

SUBJECT = "catalog.product"


def count(command: CountStock) -> CountReport:
    """Moves on_hand as the lines say, in their order, in one transaction; a refused line moves
    nothing and hurts no other.

    Refused are counts that would leave fewer pieces than are promised (``below_reserved``) or
    beyond 1,000,000,000 (``max_value``), and products that do not live (``does_not_exist``).
    Raises ``KeyReused`` and ``StillRunning``; a repeat gets the first answer.
    """
    with writing() as cached, transaction.atomic(using=DATABASE):
        report = idempotency.once(
            DATABASE,
            f"{command.principal}:counts",
            command.key,
            command.digest,
            CountReport,
            lambda: _count(command, cached),
        )
        failpoint("feed.count.before_commit")
    failpoint("feed.count.after_commit")
    return report


def _count(command: CountStock, cached) -> CountReport:
    if not command.lines:
        return CountReport()
    items = sql.lock_items(list({one.product_id for one in command.lines}))
    movements, refused = decide(command.lines, items, command.key[:100])
    deltas: dict[int, int] = {}
    for move in movements:
        deltas[move.product_pk] = deltas.get(move.product_pk, 0) + move.on_hand
    if movements:
        # Two counts of a product may cancel each other out: the ledger has both.
        number = sql.add_on_hand(deltas)
        sql.insert_ledger(
            LedgerKind.ADJUSTED, movements, actor=command.principal, reason=command.reason
        )
        by_pk = {item.pk: item for item in items.values()}
        moved = {by_pk[pk].product_id: delta for pk, delta in deltas.items() if delta}
        events.stock_counted(moved, items, (number, sql.draw_number()), command.reason)
        _note(moved, items, command.reason)
        cached.products(moved)
    return CountReport(tuple(refused), len(movements))


def decide(
    lines: Sequence[CountLine], items: Mapping[UUID, LockedItem], reference: str
) -> tuple[list[sql.Movement], list[RefusedCount]]:
    """What each line moves, given what those before it left. Pure."""
    left = {product_id: item.on_hand for product_id, item in items.items()}
    movements, refused = [], []
    for one in lines:
        item = items.get(one.product_id)
        if item is None or not item.living:
            refused.append(RefusedCount(one.line, "does_not_exist", "There is no such product."))
            continue
        before = left[one.product_id]
        on_hand = before + one.delta if one.on_hand is None else one.on_hand
        if on_hand < item.reserved:
            text = f"{on_hand} pieces would be left, but {item.reserved} are reserved for orders."
            refused.append(RefusedCount(one.line, "below_reserved", text))
        elif on_hand > MAX_PIECES:
            text = f"At most {MAX_PIECES:,} pieces."
            refused.append(RefusedCount(one.line, "max_value", text))
        elif on_hand != before:
            left[one.product_id] = on_hand
            movements.append(sql.Movement(item.pk, on_hand - before, 0, None, reference))
    return movements, refused


def _note(moved: Mapping[UUID, int], items: Mapping[UUID, LockedItem], reason: str) -> None:
    staff_changes(
        DATABASE,
        subject=SUBJECT,
        notes=[
            (
                "adjust_stock",
                product_id,
                {"on_hand": items[product_id].on_hand},
                {"on_hand": items[product_id].on_hand + delta, "reason": reason},
            )
            for product_id, delta in moved.items()
        ],
    )
